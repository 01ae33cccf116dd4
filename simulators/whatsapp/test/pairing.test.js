import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initAuthCreds } from 'baileys'
import { makeBench } from '../testing/bench.js'

const bench = await makeBench()

test('stock Baileys pairs by QR code, comes back after 515 and is open', async () => {
  const { host, client } = await bench.linkedHost('390610000001')
  const { me, account } = client.auth.creds
  assert.equal(me?.id, '390610000001:1@s.whatsapp.net')
  assert.equal(me?.lid, `${host.lid}:1@lid`)
  assert.ok(account?.deviceSignature)
  const { devices } = await bench.call('/hosts/390610000001')
  assert.deepEqual(devices, [{ id: 1, connected: true }])
})

test('a phone sends its history after linking, so that the client does not wait for it', async () => {
  const { client } = await bench.linkedHost('390610000002')
  await client.event('creds.update', ({ accountSyncCounter }) => accountSyncCounter === 1)
  assert.ok(client.auth.creds.myAppStateKeyId)
})

test('stock Baileys pairs by a pairing code', async () => {
  await bench.call('/hosts', { pn: '390610000003' })
  const client = bench.makeClient()
  const socket = client.connect()
  await client.qr()
  const code = await socket.requestPairingCode('390610000003')
  await bench.event('host.code-requested', '390610000003')
  const answer = await bench.call('/hosts/390610000003/enter-code', { code })
  assert.deepEqual(answer, { status: 200, deviceId: 1 })
  await client.opened()
})

test('a wrong pairing code is refused and links nothing', async () => {
  await bench.call('/hosts', { pn: '390610000004' })
  const client = bench.makeClient()
  const socket = client.connect()
  await client.qr()
  await socket.requestPairingCode('390610000004', 'AAAAAAAA')
  await bench.event('host.code-requested', '390610000004')
  const answer = await bench.call('/hosts/390610000004/enter-code', { code: 'BBBBBBBB' })
  assert.equal(answer.status, 422)
  assert.deepEqual((await bench.call('/hosts/390610000004')).devices, [])
})

test('a code that nobody asked for is refused', async () => {
  await bench.call('/hosts', { pn: '390610000005' })
  assert.equal((await bench.call('/hosts/390610000005/enter-code', { code: 'ABCDEFGH' })).status, 404)
})

test('a QR code whose client has gone is refused, and so is one with another client\'s keys', async () => {
  await bench.call('/hosts', { pn: '390610000006' })
  const [gone, other] = [bench.makeClient(), bench.makeClient()]
  gone.connect()
  other.connect()
  const [old, foreign] = [await gone.qr(), await other.qr()]
  const mixed = [foreign.split(',')[0], ...old.split(',').slice(1)].join(',')
  assert.equal((await bench.call('/hosts/390610000006/scan', { qr: mixed })).status, 422)
  await gone.close()
  await gone.closed()
  const { registrations } = await bench.call('/state')
  assert.equal((await bench.call('/hosts/390610000006/scan', { qr: old })).status, 404, `${registrations} waiting`)
})

test('a linked client opens again with its keys alone', async () => {
  const { client } = await bench.linkedHost('390610000007')
  await client.close()
  client.connect()
  await client.opened()
  assert.equal(client.updates.find(({ qr }) => qr), undefined)
})

test('a login with another key than the one that was paired ends with 401', async () => {
  const { client } = await bench.linkedHost('390610000008')
  const impostor = bench.makeClient()
  impostor.auth.creds = { ...initAuthCreds(), me: client.auth.creds.me, account: client.auth.creds.account }
  impostor.connect()
  assert.equal(await impostor.closed(), 401)
  assert.equal((await bench.event('host.refused', '390610000008')).code, 401)
})

test('a second socket on one account replaces the first, which ends with 440', async () => {
  const { client } = await bench.linkedHost('390610000009')
  const second = bench.makeClient()
  second.auth = client.auth
  second.connect()
  assert.equal(await client.closed(), 440)
  await second.opened()
})

test('a client that logs out is no longer linked', async () => {
  const { client } = await bench.linkedHost('390610000010')
  await client.socket?.logout()
  await bench.event('host.unlinked', '390610000010', ({ by }) => by === 'client')
  client.connect()
  assert.equal(await client.closed(), 401)
})

test('a device that is removed on the phone ends with 401 and stays out', async () => {
  const { client } = await bench.linkedHost('390610000011')
  await bench.call('/hosts/390610000011/unlink', {})
  assert.equal(await client.closed(), 401)
  client.connect()
  assert.equal(await client.closed(), 401)
  assert.deepEqual((await bench.call('/hosts/390610000011')).devices, [])
})

test('a number that is linked anew gets another device id', async () => {
  const { client } = await bench.linkedHost('390610000012')
  await bench.call('/hosts/390610000012/unlink', {})
  await client.closed()
  const again = bench.makeClient()
  again.connect()
  const { deviceId } = await bench.call('/hosts/390610000012/scan', { qr: await again.qr() })
  assert.equal(deviceId, 2)
  await again.opened()
})
