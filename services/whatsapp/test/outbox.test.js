import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Conflict, NoAck, NotConnected, Refused } from '../src/errors.js'
import { makeLedger } from '../src/ledger.js'
import { makeOutbox } from '../src/outbox.js'
import { eventually, makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { scratchStore } from '../testing/scratch.js'

const TO = '7@lid'
const REQUEST = { to: TO, text: 'Hello', messageId: 'M1' }

/** An outbox over a real ledger and a socket that only counts. @param {import('node:test').TestContext} t */
function arrange (t) {
  const clock = makeFakeClock()
  const { logger, events } = makeQuietLogger()
  const ledger = makeLedger({ store: scratchStore(t), now: clock.now })
  /** @type {any[]} */
  const written = []
  /** @type {any[]} */
  const lateRefusals = []
  const socket = {
    user: { id: '1@s.whatsapp.net' },
    devices: [{ user: '7', device: 0 }],
    getUSyncDevices: async () => socket.devices,
    sendMessage: async (/** @type {string} */ to, /** @type {any} */ content, /** @type {any} */ options) => {
      written.push({ to, ...content, ...options })
    }
  }
  /** @type {any} */
  let connected = socket
  const outbox = makeOutbox({
    ledger,
    findSocket: () => connected,
    pace: { turn: () => undefined },
    onSent: () => {},
    onRefused: () => {},
    onLateRefusal: (_tenant, receipt) => lateRefusals.push(receipt),
    clock,
    logger
  })
  return {
    outbox, ledger, clock, socket, written, lateRefusals, events,
    disconnect: () => {
      connected = undefined
    }
  }
}

/** Let a promise be looked at later without an unhandled rejection. @param {() => Promise<any>} act */
function start (act) {
  const result = act()
  result.catch(() => {})
  return result
}

/** @param {any[]} list @param {number} length */
const until = (list, length) => eventually(() => list.length >= length)

test('a send is done when WhatsApp has acked it, not when it is written', async t => {
  const { outbox, written, clock, ledger } = arrange(t)
  const result = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  assert.equal(ledger.find('1', 'M1')?.state, 'sending')
  await clock.advance(40)
  await outbox.onAck('1', { id: 'M1' })
  assert.deepEqual(await result, { messageId: 'M1', status: 'sent', durationMs: 40 })
  assert.equal(written[0].linkPreview, null)
})

test('an acked id is not sent again, a different text under it is refused', async t => {
  const { outbox, written } = arrange(t)
  const result = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await outbox.onAck('1', { id: 'M1' })
  await result
  assert.equal((await outbox.send('1', REQUEST)).status, 'sent')
  await assert.rejects(outbox.send('1', { ...REQUEST, text: 'Other' }), Conflict)
  await assert.rejects(outbox.send('1', { ...REQUEST, to: '8@lid' }), Conflict)
  assert.equal(written.length, 1)
})

test('the same id while it is under way waits for the same result', async t => {
  const { outbox, written } = arrange(t)
  const results = [start(() => outbox.send('1', REQUEST)), start(() => outbox.send('1', REQUEST))]
  await until(written, 1)
  await assert.rejects(outbox.send('1', { ...REQUEST, text: 'Other' }), Conflict)
  await outbox.onAck('1', { id: 'M1' })
  const [one, two] = await Promise.all(results)
  assert.deepEqual(one, two)
  assert.equal(written.length, 1)
})

test('without an ack in ten seconds the outcome is open, and the next attempt uses the same id', async t => {
  const { outbox, written, clock } = arrange(t)
  const first = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await clock.advance(10_000)
  await assert.rejects(first, NoAck)
  const second = start(() => outbox.send('1', REQUEST))
  await until(written, 2)
  await outbox.onAck('1', { id: 'M1' })
  await second
  assert.deepEqual(written.map(({ messageId }) => messageId), ['M1', 'M1'])
})

test('an ack that comes late is remembered', async t => {
  const { outbox, written, clock } = arrange(t)
  const first = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await clock.advance(10_000)
  await assert.rejects(first, NoAck)
  await outbox.onAck('1', { id: 'M1' })
  assert.equal((await outbox.send('1', REQUEST)).status, 'sent')
  assert.equal(written.length, 1)
})

test('a refusal is final and remembered with its code', async t => {
  const { outbox, written } = arrange(t)
  const result = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await outbox.onAck('1', { id: 'M1', error: '463' })
  await assert.rejects(result, error => error instanceof Refused && error.code === 463)
  await assert.rejects(outbox.send('1', REQUEST), Refused)
  assert.equal(written.length, 1)
})

test('a refusal that comes late is reported to the server', async t => {
  const { outbox, written, clock, lateRefusals } = arrange(t)
  const first = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await clock.advance(10_000)
  await assert.rejects(first, NoAck)
  await outbox.onAck('1', { id: 'M1', error: '463' })
  assert.deepEqual(lateRefusals.map(({ id, status, code }) => ({ id, status, code })), [{ id: 'M1', status: 'failed', code: 463 }])
})

test('without a connection nothing is recorded, and of what was written to a lost one nobody knows', async t => {
  const { outbox, written, ledger, disconnect } = arrange(t)
  const result = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  outbox.onClosed('1')
  await assert.rejects(result, NoAck)
  disconnect()
  await assert.rejects(outbox.send('1', { ...REQUEST, messageId: 'M2' }), NotConnected)
  assert.equal(ledger.find('1', 'M2'), undefined)
})

test('nothing is sent to a recipient without devices', async t => {
  const { outbox, written, socket } = arrange(t)
  socket.devices = []
  await assert.rejects(outbox.send('1', REQUEST), NoAck)
  assert.equal(written.length, 0)
})

test('an attempt that fails late does not end the next one under the same id', async t => {
  const { outbox, written, clock, socket } = arrange(t)
  /** @type {((error: Error) => void) | undefined} */
  let fail
  const devices = socket.getUSyncDevices
  socket.getUSyncDevices = () => new Promise((_resolve, reject) => {
    fail = reject
  })
  const first = start(() => outbox.send('1', REQUEST))
  await eventually(() => fail !== undefined)
  await clock.advance(10_000)
  await assert.rejects(first, NoAck)
  socket.getUSyncDevices = devices
  const second = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  fail?.(new Error('closed'))
  await settle()
  await outbox.onAck('1', { id: 'M1' })
  assert.equal((await second).status, 'sent')
})

test('two tenants may use the same id', async t => {
  const { outbox, written } = arrange(t)
  const results = [start(() => outbox.send('1', REQUEST)), start(() => outbox.send('2', { ...REQUEST, text: 'Other' }))]
  await until(written, 2)
  await outbox.onAck('1', { id: 'M1' })
  await outbox.onAck('2', { id: 'M1' })
  await Promise.all(results)
})

test('what is logged of a send has ids and a duration, no text and no address', async t => {
  const { outbox, written, events } = arrange(t)
  const result = start(() => outbox.send('1', REQUEST))
  await until(written, 1)
  await outbox.onAck('1', { id: 'M1' })
  await result
  const [line] = events.filter(({ event }) => event === 'send')
  assert.deepEqual([line.messageId, line.outcome, typeof line.durationMs], ['M1', 'sent', 'number'])
  assert.doesNotMatch(JSON.stringify(events), /Hello|@lid/)
})
