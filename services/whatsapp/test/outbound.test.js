import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GUEST, HOST, makeWorld, shareWorld } from '../testing/sidecar-world.js'

describe('a reply', { concurrency: 4 }, () => {
  const guest = shareWorld()

  test('arrives at the guest\'s phone under our id, and its receipts reach the server', async () => {
    const { world, running, lid, phone, receives } = await guest({ sendsReadReceipts: true })
    const { status, body } = await running.send({ to: lid, text: 'From 7 to 10.', messageId: 'REPLY1' })
    assert.equal(status, 200)
    assert.deepEqual([body.messageId, body.status, typeof body.durationMs], ['REPLY1', 'sent', 'number'])
    await receives('REPLY1')
    const { received } = await phone()
    assert.deepEqual(received.map((/** @type {any} */ { id, text }) => [id, text]), [['REPLY1', 'From 7 to 10.']])
    const receipts = () => world.server.statuses.flatMap(({ payload }) => payload.receipts)
    const told = () => receipts().filter(({ id }) => id === 'REPLY1').map(receipt => receipt.status)
    await world.server.until(() => told().includes('read'))
    assert.deepEqual(told(), ['delivered', 'read'])
  })

  test('gets an id from the sidecar if it has none', async () => {
    const { running, lid } = await guest()
    const { body } = await running.send({ to: lid, text: 'hi' })
    assert.match(body.messageId, /^[0-9A-Z]+$/)
  })

  test('goes to a phone number as well as to a LID', async () => {
    const { running, pn, receives } = await guest({ addressing: 'pn' })
    assert.equal((await running.send({ to: `${pn}@s.whatsapp.net`, text: 'hi', messageId: 'PN1' })).status, 200)
    await receives('PN1')
  })

  test('can quote what it answers', async () => {
    const { running, lid, receives } = await guest()
    await running.send({ to: lid, text: 'Yes', messageId: 'R', quoted: { id: 'Q1', text: 'hello' } })
    assert.equal((await receives('R')).quotedId, 'Q1')
  })

  test('that WhatsApp refuses is answered with 502 and its code, and not tried again', async () => {
    const { world, running, lid, pn, phone } = await guest()
    await world.control('POST /faults', { kind: 'ack-error', code: 463, pn })
    const reply = { to: lid, text: 'no', messageId: 'NO' }
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(await running.send(reply), { status: 502, body: { error: 'refused', code: 463 } })
    }
    assert.deepEqual((await phone()).received, [])
  })

  test('without an ack is answered with 504 after ten seconds, and a later ack is remembered', async () => {
    const { world, running, lid, pn, phone, receives } = await guest()
    await world.control('POST /faults', { kind: 'ack-delay', ms: 10_500, pn })
    const startedAt = Date.now()
    const reply = { to: lid, text: 'slow', messageId: 'SLOW' }
    assert.equal((await running.send(reply)).status, 504)
    assert.ok(Math.abs(Date.now() - startedAt - 10_000) < 1000)
    const acked = await world.event('message.acked', HOST, ({ id }) => id === 'SLOW')
    await running.healthy(({ tenants }) => tenants[0].lastAckAt >= acked.at - 50)
    assert.equal((await running.send(reply)).status, 200)
    await receives('SLOW')
    assert.equal((await phone()).timesById.SLOW, 1)
  })

  test('to a number that is not on WhatsApp goes to nobody', async () => {
    const { world, running } = await guest()
    assert.equal((await running.send({ to: '19995550000@s.whatsapp.net', text: 'hi' })).status, 504)
    assert.equal((await world.control('GET /state')).emptyParticipants, 0)
  })
})

test('sending the same id again sends nothing, also after a restart', async t => {
  const world = await makeWorld(t)
  const { running, lid } = await world.linked()
  const reply = { to: `${lid}@lid`, text: 'once', messageId: 'ONCE' }
  const results = await Promise.all([1, 2, 3].map(() => running.send(reply)))
  assert.deepEqual(results.map(({ status }) => status), [200, 200, 200])
  assert.equal((await running.send({ ...reply, text: 'other' })).status, 409)
  await running.kill()
  const again = await world.sidecar()
  assert.equal((await again.send(reply)).status, 200)
  await again.until('1', ({ state }) => state === 'open')
  assert.equal((await again.send({ ...reply, messageId: 'NEXT', text: 'marker' })).status, 200)
  await world.event('guest.received', GUEST, ({ id }) => id === 'NEXT')
  assert.equal((await world.control(`GET /guests/${GUEST}`)).timesById.ONCE, 1)
})

test('a send that was never acked is sent again under its id after a crash', async t => {
  const world = await makeWorld(t)
  const { running, lid } = await world.linked()
  await world.control('POST /faults', { kind: 'no-ack', pn: GUEST })
  const reply = { to: `${lid}@lid`, text: 'important', messageId: 'MUST' }
  const lost = running.send(reply).catch(() => {})
  await world.event('guest.received', GUEST, ({ id }) => id === 'MUST')
  await running.kill()
  await lost
  const again = await world.sidecar()
  await again.until('1', ({ state }) => state === 'open')
  assert.equal((await again.send(reply)).status, 200)
  await world.event('guest.received', GUEST, ({ id, times }) => id === 'MUST' && times === 2)
  assert.equal((await world.control(`GET /guests/${GUEST}`)).textRepeats, 0)
})

test('a connection that breaks before the ack ends the wait at once', async t => {
  const world = await makeWorld(t)
  const { running, lid } = await world.linked()
  await world.control('POST /faults', { kind: 'disconnect', code: 503, at: 'client-message', pn: HOST, delivered: false })
  const reply = { to: `${lid}@lid`, text: 'hi', messageId: 'CUT' }
  const startedAt = Date.now()
  assert.equal((await running.send(reply)).status, 504)
  assert.ok(Date.now() - startedAt < 3000)
  await running.until('1', ({ state }) => state === 'open')
  assert.equal((await running.send(reply)).status, 200)
})

test('while the number is not connected the answer is 503', async t => {
  const world = await makeWorld(t)
  const sidecar = await world.sidecar()
  const { status, body } = await sidecar.send({ to: '7@lid', text: 'hi' })
  assert.deepEqual([status, body], [503, { error: 'not connected' }])
})

test('the guest sees us typing, and the number is available for that turn only', async t => {
  const world = await makeWorld(t)
  const { running, lid } = await world.linked()
  assert.equal((await world.control('GET /state')).availablePresences, 0)
  for (const state of ['composing', 'paused']) {
    assert.equal((await running.ask('POST /sendTyping', { tenantId: '1', to: `${lid}@lid`, state })).status, 202)
    await world.event('guest.presence', GUEST, event => event.state === state)
  }
  assert.equal((await world.control('GET /state')).availablePresences, 1)
})

test('with WHATSAPP_ANNOUNCE=never the number is never available', async t => {
  const world = await makeWorld(t)
  const sidecar = await world.sidecar({ WHATSAPP_ANNOUNCE: 'never' })
  await world.link(sidecar)
  const { lid } = await world.control('POST /guests', { pn: GUEST })
  await sidecar.call('POST /sendTyping', { tenantId: '1', to: `${lid}@lid`, state: 'composing' })
  await world.event('guest.presence', GUEST)
  assert.equal((await world.control('GET /state')).availablePresences, 0)
})
