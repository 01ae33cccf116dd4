import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeReporter, receiptsIn } from '../src/receipts.js'
import { makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

/** @param {Record<string, string>} attrs @param {any} [content] */
const receipt = (attrs, content) => receiptsIn({ tag: 'receipt', attrs: { id: 'A', t: '1700000000', ...attrs }, content }, 5)

test('a receipt without a type says delivered, `read` and `played` say read', () => {
  assert.deepEqual(receipt({}), [{ id: 'A', status: 'delivered', at: 1_700_000_000_000 }])
  assert.equal(receipt({ type: 'read' })[0].status, 'read')
  assert.equal(receipt({ type: 'played' })[0].status, 'read')
})

test('one receipt may cover several messages', () => {
  const items = [{ tag: 'list', attrs: {}, content: [{ tag: 'item', attrs: { id: 'B' } }, { tag: 'item', attrs: { id: 'C' } }] }]
  assert.deepEqual(receipt({ type: 'read' }, items).map(({ id }) => id), ['A', 'B', 'C'])
})

test('retries and our own devices\' receipts say nothing about the guest', () => {
  for (const type of ['retry', 'sender', 'read-self', 'peer_msg', 'hist_sync']) assert.deepEqual(receipt({ type }), [])
})

test('a receipt without a time gets ours', () => {
  assert.equal(receiptsIn({ tag: 'receipt', attrs: { id: 'A' } }, 5)[0].at, 5)
})

/** @param {() => number} status */
function arrange (status) {
  /** @type {any[]} */
  const told = []
  const clock = makeFakeClock()
  const { report } = makeReporter({
    post: async (_path, body) => {
      told.push(body)
      return { status: status(), body: {} }
    },
    clock,
    logger: makeQuietLogger().logger
  })
  return { report, told, clock }
}

const DELIVERED = /** @type {const} */ ({ id: 'A', status: 'delivered', at: 1 })

test('news reaches the server at once', async () => {
  const { report, told } = arrange(() => 200)
  report('1', { receipts: [DELIVERED] })
  report('1', { connection: { state: 'open', at: 2 } })
  await settle()
  assert.deepEqual(told, [
    { tenantId: '1', payload: { receipts: [DELIVERED] } },
    { tenantId: '1', payload: { receipts: [], connection: { state: 'open', at: 2 } } }
  ])
})

test('what the server missed is told again together with what came since', async () => {
  let status = 503
  const { report, told, clock } = arrange(() => status)
  report('1', { receipts: [DELIVERED] })
  await settle()
  report('1', { receipts: [{ id: 'A', status: 'read', at: 3 }] })
  status = 200
  await clock.advance(15_000)
  assert.deepEqual(told.at(-1).payload.receipts.map((/** @type {any} */ r) => r.status), ['delivered', 'read'])
})

test('after some attempts old news is dropped, and later news is told', async () => {
  let status = 503
  const { report, told, clock } = arrange(() => status)
  report('1', { receipts: [DELIVERED] })
  await settle()
  await clock.advance(10 * 60_000)
  assert.equal(told.length, 6)
  status = 200
  report('1', { receipts: [{ id: 'B', status: 'read', at: 3 }] })
  await settle()
  assert.deepEqual(told.at(-1).payload.receipts, [{ id: 'B', status: 'read', at: 3 }])
})

test('who was typing is not told after a pause, which addresses belong together is', async () => {
  let status = 503
  const { report, told, clock } = arrange(() => status)
  const [old, fresh] = [{ lid: '1@lid', pn: '1@s.whatsapp.net' }, { lid: '1@lid', pn: '2@s.whatsapp.net' }]
  report('1', { mappings: [old], presence: [{ from: '1@lid', state: 'composing', at: 1 }] })
  await settle()
  report('1', { mappings: [fresh, { lid: '3@lid', pn: '3@s.whatsapp.net' }] })
  status = 200
  await clock.advance(1000)
  assert.deepEqual(told.map(({ payload }) => payload.presence?.length), [1, undefined])
  assert.deepEqual(told[1].payload.mappings, [fresh, { lid: '3@lid', pn: '3@s.whatsapp.net' }])
})

test('of what a guest does while the server is busy, only the latest is told', async () => {
  const { report, told } = arrange(() => 200)
  report('1', {})
  for (const state of /** @type {const} */ (['composing', 'paused', 'composing'])) {
    report('1', { presence: [{ from: '1@lid', state, at: 2 }] })
  }
  await settle()
  assert.deepEqual(told.map(({ payload }) => payload.presence), [undefined, [{ from: '1@lid', state: 'composing', at: 2 }]])
})
