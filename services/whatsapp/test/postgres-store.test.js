import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotHere, StartError } from '../src/errors.js'
import { openDatabase } from '../src/database.js'
import { entriesUnder, removeWhere } from '../src/store.js'
import { eventually } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { openHolder, sharedPostgres } from '../testing/stores.js'

const postgres = sharedPostgres()

/** @typedef {import('../testing/stores.js').Scratch} Scratch */

/** @param {import('node:test').TestContext} t */
async function arrange (t) {
  const scratch = await postgres().database(t)
  return { scratch, ...await openHolder(t, scratch) }
}

/** Hold the row of number 1 as another transaction would. @param {Scratch} scratch */
async function lockNumber (scratch) {
  const client = await scratch.pool.connect()
  await client.query('BEGIN')
  await client.query('SELECT FROM whatsapp_numbers WHERE tenant_id = \'1\' FOR UPDATE')
  const { rows: [{ pid }] } = await client.query('SELECT pg_backend_pid() AS pid')
  return {
    client,
    pid,
    /** Until a write stands at the fence. @param {number} count */
    async waited (count = 1) {
      for (;;) {
        const rows = await scratch.rows('SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))', [pid])
        if (rows.length >= count) return
      }
    },
    async end (how = 'COMMIT') {
      await client.query(how)
      client.release()
    }
  }
}

test('entries of every table come back as they were written', async t => {
  const { scratch, store } = await arrange(t)
  const values = {
    creds: 'sealed\n{"a":"\\u0000"}', keys: '{"type":"Buffer"}', notes: { attrs: { id: 'נ\u0000' }, sequence: 1, notedAtMs: 2.5, asked: 0 },
    plaintexts: { plaintext: Buffer.from([0, 255, 7]), atMs: 1 }, journal: { message: { conversation: 'שלום "x" \\' } },
    aside: { why: null }, known: 1_700_000_000_000, sends: { text: '\n', state: 'sent' }, retries: { count: 3 }, meta: 7
  }
  for (const [name, value] of Object.entries(values)) {
    await /** @type {any} */ (store)[name].put(name === 'creds' ? '1' : ['1', 'chat\u0000', true, 5], value)
  }
  const { store: next } = await openHolder(t, scratch)
  for (const [name, value] of Object.entries(values)) {
    const found = /** @type {any} */ (next)[name].get(name === 'creds' ? '1' : ['1', 'chat\u0000', true, 5])
    if (name === 'plaintexts') assert.deepEqual([...found.plaintext], [0, 255, 7])
    else assert.deepEqual(found, value, name)
  }
})

test('what a number has is read in pages, and in the order of its numbers', async t => {
  const { scratch, store } = await arrange(t)
  await store.transaction('1', () => {
    for (let n = 12_000; n > 0; n--) void store.journal.put(['1', n], n)
  })
  const { store: next } = await openHolder(t, scratch)
  assert.deepEqual([...entriesUnder(next.journal, ['1'])].map(({ value }) => value), Array.from({ length: 12_000 }, (_, n) => n + 1))
})

test('a transaction is all or nothing, and sees what was written before it', async t => {
  const { scratch, store } = await arrange(t)
  const first = store.known.put(['1', 'a'], 1)
  const second = store.transaction('1', () => {
    void store.known.put(['1', 'b'], 2)
    return [store.known.get(['1', 'a']), store.known.get(['1', 'b'])]
  })
  const failed = store.transaction('1', () => {
    void store.known.put(['1', 'c'], 3)
    throw new Error('half-way')
  })
  const removed = store.known.remove(['1', 'a'])
  assert.equal(store.known.get(['1', 'a']), undefined)
  await first
  assert.deepEqual(await second, [1, 2])
  await assert.rejects(failed, /half-way/)
  assert.equal(await removed, true)
  assert.equal(await store.known.remove(['1', 'a']), false)
  assert.deepEqual((await scratch.entries()).map(({ key }) => key), ['["b"]'])
})

test('what is asked for while a group is on its way becomes one more, not many', async t => {
  const { scratch, store } = await arrange(t)
  const lock = await lockNumber(scratch)
  const puts = [store.known.put(['1', 0], 0)]
  await lock.waited()
  for (let n = 1; n <= 50; n++) puts.push(store.known.put(['1', n], n))
  await lock.end()
  await Promise.all(puts)
  const rows = await scratch.rows('SELECT DISTINCT xmin::text FROM whatsapp_entries')
  assert.equal(rows.length, 2)
})

test('a write under an old token is refused, and changes nothing', async t => {
  const { scratch, store, broken } = await arrange(t)
  await store.sends.put(['1', 'A'], 'before')
  const before = await scratch.entries()
  const lock = await lockNumber(scratch)
  const late = store.sends.put(['1', 'A'], 'late')
  const alsoLate = store.sends.remove(['1', 'A'])
  await lock.waited()
  // The lease goes to another in the very moment in which the write stands at the fence.
  await lock.client.query('UPDATE whatsapp_numbers SET owner = \'another\', token = token + 1 WHERE tenant_id = \'1\'')
  await lock.end()
  await eventually(() => broken.length > 0)
  assert.ok(broken[0].error instanceof NotHere)
  const outcomes = Promise.allSettled([late, alsoLate])
  await store.unload('1')
  assert.deepEqual((await outcomes).map(({ status }) => status), ['rejected', 'rejected'])
  assert.deepEqual(await scratch.entries(), before)
  assert.equal(store.sends.get(['1', 'A']), undefined)
  await assert.rejects(store.sends.put(['1', 'A'], 'later'), NotHere)
})

test('a number that is lost takes nothing of another with it', async t => {
  const { scratch, store } = await arrange(t)
  await Promise.all([store.known.put(['1', 'a'], 1), store.known.put(['2', 'a'], 2)])
  await scratch.rows('UPDATE whatsapp_numbers SET token = token + 1 WHERE tenant_id = \'1\'')
  const lost = assert.rejects(store.known.put(['1', 'b'], 1), NotHere)
  await store.known.put(['2', 'b'], 2)
  await store.unload('1')
  await lost
  assert.deepEqual([...store.known.getRange()].map(({ key }) => key), [['2', 'a'], ['2', 'b']])
})

test('what was sent and never answered is void before it is sent again', async t => {
  const { scratch, store } = await arrange(t)
  const { token } = await scratch.number()
  const lock = await lockNumber(scratch)
  const put = store.known.put(['1', 'a'], 1)
  await lock.waited()
  // The connection breaks while the write waits.
  await scratch.rows('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))', [lock.pid])
  await lock.end()
  await put
  assert.ok(BigInt((await scratch.number()).token) > BigInt(token))
  assert.equal((await scratch.entries()).length, 1)
})

test('writes outlast a database that is away for a while', async t => {
  const { scratch, store, broken } = await arrange(t)
  await store.known.put(['1', 0], 0)
  await postgres().stop()
  const puts = Array.from({ length: 20 }, (_, n) => store.known.put(['1', n], n))
  await postgres().start()
  await Promise.all(puts)
  assert.equal((await scratch.entries()).length, 20)
  assert.deepEqual(broken, [])
})

test('a number whose writes fail for too long is given up', async t => {
  const scratch = await postgres().database(t)
  const { store, broken } = await openHolder(t, scratch, { patienceMs: 100 })
  await postgres().stop()
  const put = assert.rejects(store.known.put(['1', 0], 0), NotHere)
  await eventually(() => broken.length > 0)
  await store.unload('1')
  await put
  await postgres().start()
})

test('a write that the database refuses is told, and stops no other', async t => {
  const { scratch, store, broken } = await arrange(t)
  await scratch.rows('ALTER TABLE whatsapp_entries ADD CHECK (value <> \'13\')')
  await assert.rejects(store.known.put(['1', 0], 13), /check constraint/)
  await store.known.put(['1', 0], 14)
  assert.deepEqual(broken, [])
})

test('old entries are forgotten for each tenant apart', async t => {
  const { scratch, store } = await arrange(t)
  for (const tenantId of ['1', '2']) for (const n of [1, 2, 3]) await store.known.put([tenantId, n], n)
  await removeWhere(store, store.known, value => value < 3)
  assert.deepEqual([...store.known.getKeys()], [['1', 3], ['2', 3]])
  assert.equal((await scratch.entries('2')).length, 1)
})

test('a database without our tables, and none at all, are told in one sentence', async () => {
  const { logger } = makeQuietLogger()
  await assert.rejects(openDatabase({ url: postgres().url, logger }), error =>
    error instanceof StartError && /frontdesk migrate/.test(error.message))
  await assert.rejects(openDatabase({ url: 'postgresql://x@127.0.0.1:9/x', logger }), error =>
    error instanceof StartError && /does not answer \(ECONNREFUSED\)/.test(error.message))
})
