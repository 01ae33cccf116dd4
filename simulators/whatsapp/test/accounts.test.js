import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBench } from '../testing/bench.js'

const [ONE, TWO, GUEST] = ['390640000001', '390640000002', '972540000001']
const bench = await makeBench()
const { client: first } = await bench.linkedHost(ONE)
const { host: two, client: other } = await bench.linkedHost(TWO)
const { lid } = await bench.call('/guests', { pn: GUEST })

test('each of two businesses gets only what is written to it', async () => {
  const { id: toOne } = await bench.call(`/guests/${GUEST}/send`, { to: ONE, text: 'to one' })
  const { id: toTwo } = await bench.call(`/guests/${GUEST}/send`, { to: TWO, text: 'to two' })
  await first.message(({ key }) => key.id === toOne)
  await other.message(({ key }) => key.id === toTwo)
  assert.equal(first.messages.some(({ key }) => key.id === toTwo), false)
  assert.equal(other.messages.some(({ key }) => key.id === toOne), false)
})

test('one linked business can write to another', async () => {
  const id = await first.send(`${two.lid}@lid`, 'a room to spare?')
  const message = await other.message(({ key, message }) => key.id === id && Boolean(message))
  assert.equal(message.message?.extendedTextMessage?.text, 'a room to spare?')
})

test('a second linked device gets the guest\'s messages, and a copy of what the first one sends', async () => {
  const second = bench.makeClient()
  second.connect()
  const { deviceId, devices } = await bench.call(`/hosts/${ONE}/scan`, { qr: await second.qr() })
  assert.equal(deviceId, 2, String(devices))
  await second.opened()
  const { id: asked, devices: reached } = await bench.call(`/guests/${GUEST}/send`, { to: ONE, text: 'for both' })
  assert.equal(reached, 2)
  for (const client of [first, second]) await client.message(({ key }) => key.id === asked)

  // A client learns of its account's new device by asking again, not from its cache.
  await first.socket?.getUSyncDevices([first.socket.user?.lid?.replace(/:\d+/, '') ?? ''], false, false)
  const id = await first.send(`${lid}@lid`, 'from the first')
  const copy = await second.message(({ key, message }) => key.id === id && Boolean(message))
  assert.equal(copy.key.fromMe, true)
  assert.equal(copy.message?.extendedTextMessage?.text, 'from the first')
  await bench.event('guest.received', GUEST, event => event.id === id)
})

test('a message to a host that has no linked device says that it reached none', async () => {
  await bench.call('/hosts', { pn: '390640000003' })
  const { status, devices } = await bench.call(`/guests/${GUEST}/send`, { to: '390640000003', text: 'anybody?' })
  assert.deepEqual([status, devices], [202, 0])
})
