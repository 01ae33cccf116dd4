import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { toJson } from '../src/baileys.js'
import { Conflict } from '../src/errors.js'
import { makeForgetting } from '../src/forgetting.js'
import { makeGuestPresence } from '../src/guest-presence.js'
import { makeJournal } from '../src/journal.js'
import { makeLedger } from '../src/ledger.js'
import { makeOutbox } from '../src/outbox.js'
import { makePace } from '../src/pace.js'
import { makeReporter } from '../src/receipts.js'
import { TABLES, openTables } from '../src/store.js'
import { eventually, makeFakeClock } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { GUEST, makeWorld } from '../testing/sidecar-world.js'
import { onEachStore, sharedPostgres } from '../testing/stores.js'

const LID = '7777001@lid'
const PN = '972547777002@s.whatsapp.net'
const OTHER = '8888001@lid'
const MARKS = ['7777001', '972547777002', 'marzipan']

/** What is kept anywhere but among the Signal keys. @param {import('../src/store.js').Tables} store */
function textOf (store) {
  const tables = TABLES.filter(name => name !== 'keys')
  return tables.flatMap(name => [...store[name].getRange()].map(entry => toText({ name, ...entry }))).join('\n')
}

/** @param {any} entry its bytes as the letters that they are */
function toText (entry) {
  return JSON.stringify(entry, (_, value) => value?.type === 'Buffer' || value instanceof Uint8Array
    ? Buffer.from(value.data ?? value).toString('latin1')
    : value)
}

/** @param {string} text */
const marksIn = text => MARKS.filter(mark => text.includes(mark))

onEachStore(open => {
  /** @param {import('node:test').TestContext} t */
  async function arrange (t) {
    const clock = makeFakeClock()
    const { store, reopen } = await open(t)
    const { logger } = makeQuietLogger()
    const journal = makeJournal({ store, clock, onFailure: assert.ifError })
    /** @type {any[]} */
    const announced = []
    journal.start(waiting => announced.push(waiting))
    const ledger = makeLedger({ store, now: clock.now })
    /** @type {any[]} */
    const written = []
    const socket = /** @type {any} */ ({
      user: { id: '1@s.whatsapp.net' },
      getUSyncDevices: async () => [{}],
      sendMessage: async (/** @type {any[]} */ ...args) => void written.push(args)
    })
    const pace = makePace({ limits: { sendsPerMinute: 60, warmUpDays: 0 }, linkedAt: () => 0, clock })
    const outbox = makeOutbox({
      ledger,
      findSocket: () => socket,
      pace,
      onSent: () => {},
      onRefused: () => {},
      onLateRefusal: () => {},
      clock,
      logger
    })
    /** @type {any[]} */
    const told = []
    /** @type {(() => void)[]} */
    const held = []
    const reporter = makeReporter({
      post: async (_, body) => {
        await new Promise(resolve => held.push(() => resolve(undefined)))
        told.push(body)
        return { status: 200, body: {} }
      },
      clock,
      logger
    })
    const subscribed = /** @type {string[]} */ ([])
    const presence = makeGuestPresence({
      findSocket: () => ({ presenceSubscribe: async (/** @type {string} */ jid) => void subscribed.push(jid) }),
      tell: () => {},
      clock,
      logger
    })
    const forgetting = makeForgetting({
      store, journal, ledger, outbox, inMemory: [reporter, presence, pace], logger
    })
    const parts = {
      clock, store, reopen, journal, announced, ledger, outbox, written, reporter, told, held, presence, subscribed
    }
    const forget = (messageIds = /** @type {string[]} */ ([])) => forgetting.forget('1', { addresses: [LID], messageIds })
    return { ...parts, forget }
  }

  /** @param {Partial<{ from: string, id: string, text: string, tenantId: string }>} [what] */
  function arrival ({ from = LID, id = 'IN', text = 'marzipan?' } = {}) {
    const key = { remoteJid: from, ...(from === LID && { remoteJidAlt: PN }), fromMe: false, id }
    return {
      hash: `hash of ${id}`,
      plaintext: Buffer.from(text),
      stanza: { from: from.replace('@', ':3@'), id },
      message: { key, messageTimestamp: 1, message: { conversation: text } },
      upsertType: /** @type {const} */ ('notify'),
      receivedAtMs: 5
    }
  }

  /**
   * A guest who has written and was answered, by either address, and of whom staff were told.
   *
   * @param {Awaited<ReturnType<typeof arrange>>} parts
   */
  async function fill ({ store, journal, ledger }) {
    await store.marks.leave('1')
    await store.keys.put(['1', 'lid-mapping', '7777001_reverse'], toJson('972547777002'))
    for (const id of ['IN', 'REFUSED']) journal.note('1', arrival({ id }).stanza)
    await journal.append('1', arrival())
    await journal.append('1', arrival({ id: 'REFUSED' }))
    await journal.append('1', { ...arrival({ from: PN, id: 'HAND' }), stanza: { from: '1:2@lid', recipient: PN, id: 'HAND' } })
    await journal.strike('1', 1)
    await journal.setAside('1', 2, 'no')
    await journal.strike('1', 3)
    for (const [id, to] of [['OUT', LID], ['OUT2', PN], ['NOTICE', '972500000099@s.whatsapp.net']]) {
      await ledger.write('1', id, { to, text: 'marzipan, yes', state: 'sent', durationMs: 3 })
    }
    for (const jid of [LID, '7777001:4@lid', PN]) await store.retries.put(['1', `55:${jid}`], { count: 1, atMs: 1 })
  }

  test('nothing but Signal keys tells of a guest who is forgotten, in either address', async t => {
    const parts = await arrange(t)
    await fill(parts)
    assert.deepEqual(marksIn(textOf(parts.store)), MARKS)
    await parts.forget(['NOTICE'])
    assert.deepEqual(marksIn(textOf(parts.store)), [])
    assert.notEqual(parts.store.keys.get(['1', 'lid-mapping', '7777001_reverse']), undefined)
    assert.deepEqual(marksIn(textOf(await parts.reopen())), [])
  })

  test('forgetting again changes nothing', async t => {
    const parts = await arrange(t)
    await fill(parts)
    await parts.forget(['NOTICE'])
    const before = textOf(parts.store)
    await parts.forget(['NOTICE'])
    assert.equal(textOf(parts.store), before)
  })

  test('others, and other numbers, are not forgotten', async t => {
    const parts = await arrange(t)
    const { store, journal, ledger } = parts
    await journal.append('1', arrival({ from: OTHER, id: 'B' }))
    await journal.append('2', arrival({ id: 'C' }))
    for (const tenantId of ['1', '2']) {
      const to = tenantId === '1' ? OTHER : LID
      await ledger.write(tenantId, 'OUT', { to, text: 'hi', state: 'sent' })
      await store.retries.put([tenantId, `A:${to}`], { count: 1, atMs: 1 })
    }
    const before = textOf(store)
    await parts.forget()
    assert.equal(textOf(store), before)
  })

  test('what was judged is not handed on when it comes again', async t => {
    const parts = await arrange(t)
    await fill(parts)
    const { length } = parts.announced
    await parts.forget()
    await parts.journal.append('1', arrival())
    await parts.journal.append('1', { ...arrival(), stanza: { from: PN, id: 'IN' }, hash: 'another' })
    assert.equal(parts.announced.length, length)
    await parts.journal.append('1', arrival({ id: 'NEW' }))
    assert.equal(parts.announced.length, length + 1)
  })

  test('the same ciphertext is taken for empty when it comes again, not for unreadable', async t => {
    const parts = await arrange(t)
    await fill(parts)
    await parts.forget()
    assert.deepEqual([...parts.journal.plaintextOf('1', 'hash of IN') ?? []], [1])
  })

  test('a send under a forgotten id does not go out a second time', async t => {
    const parts = await arrange(t)
    await fill(parts)
    await parts.forget()
    assert.deepEqual(await parts.outbox.send('1', { to: LID, text: 'marzipan, yes', messageId: 'OUT' }),
      { messageId: 'OUT', status: 'sent', durationMs: 3 })
    await assert.rejects(parts.outbox.send('1', { to: LID, text: 'no', messageId: 'OUT' }), Conflict)
    assert.deepEqual(parts.written, [])
  })

  test('what the server has not judged is not forgotten, nor anything else of that guest', async t => {
    const parts = await arrange(t)
    await fill(parts)
    await parts.journal.append('1', arrival({ id: 'NEW' }))
    const before = textOf(parts.store)
    await assert.rejects(parts.forget(), Conflict)
    assert.equal(textOf(parts.store), before)
    await parts.journal.strike('1', 4)
    await parts.forget()
  })

  test('a stanza that was not read yet is waited for, unless nobody will send it again', async t => {
    const parts = await arrange(t)
    await parts.store.marks.leave('1')
    parts.journal.note('1', { from: '972547777002:5@s.whatsapp.net', id: 'UNREAD' })
    await parts.store.keys.put(['1', 'lid-mapping', '7777001_reverse'], toJson('972547777002'))
    await assert.rejects(parts.forget(), Conflict)
    // The number is linked no more.
    await parts.store.marks.take('1')
    await parts.forget()
    assert.deepEqual(marksIn(textOf(parts.store)), [])
  })

  test('a guest to whom a message is being sent is not forgotten before that has ended', async t => {
    const parts = await arrange(t)
    const sending = parts.outbox.send('1', { to: LID, text: 'marzipan', messageId: 'M' })
    await assert.rejects(parts.forget(), Conflict)
    await eventually(() => parts.written.length > 0)
    await parts.outbox.onAck('1', { id: 'M' })
    await sending
    await parts.forget()
    assert.deepEqual(marksIn(textOf(parts.store)), [])
  })

  test('what waits in memory to be told of the guest is not told, and the guest is watched anew', async t => {
    const parts = await arrange(t)
    parts.reporter.report('1', { receipts: [] })
    await eventually(() => parts.held.length > 0)
    parts.reporter.report('1', {
      mappings: [{ lid: LID, pn: PN }, { lid: OTHER, pn: '9@s.whatsapp.net' }],
      presence: [{ from: LID, state: 'composing', at: 1 }]
    })
    parts.presence.onMessage('1', { tag: 'message', attrs: { from: LID, id: 'A' } })
    await parts.forget()
    parts.held[0]()
    await eventually(() => parts.held.length > 1)
    parts.held[1]()
    await eventually(() => parts.told.length > 1)
    const { mappings, presence } = parts.told[1].payload
    assert.deepEqual(mappings, [{ lid: OTHER, pn: '9@s.whatsapp.net' }])
    assert.deepEqual(presence, [])
    parts.presence.onMessage('1', { tag: 'message', attrs: { from: LID, id: 'B' } })
    assert.deepEqual(parts.subscribed, [LID, LID])
  })
})

describe('a linked number', { concurrency: 2 }, () => {
  const postgres = sharedPostgres()

  test('forgets a guest, sends nothing twice, and reads what the guest writes next', async t => {
    const world = await makeWorld(t)
    const { running, lid } = await world.linked()
    await world.guestWrites('marzipan?')
    await world.server.until(() => world.server.messages.length === 1)
    const reply = { to: `${lid}@lid`, text: 'marzipan, yes', messageId: 'REPLY' }
    assert.equal((await running.send(reply)).status, 200)
    await world.event('guest.received', GUEST, ({ id }) => id === 'REPLY')
    await running.healthy(({ journal }) => journal.waiting === 0)
    assert.equal((await running.ask('POST /tenants/1/forget', { addresses: [`${lid}@lid`] })).status, 204)
    assert.equal((await running.send(reply)).status, 200)
    await world.guestWrites('is anybody there?')
    await world.server.until(() => world.server.messages.length === 2)
    assert.equal((await running.send({ to: `${lid}@lid`, text: 'yes', messageId: 'NEXT' })).status, 200)
    await world.event('guest.received', GUEST, ({ id }) => id === 'NEXT')
    const { timesById, undecryptable } = await world.control(`GET /guests/${GUEST}`)
    assert.deepEqual([timesById, undecryptable], [{ REPLY: 1, NEXT: 1 }, 0])
    await running.kill()
    const store = openTables(running.directory)
    const kept = textOf(/** @type {any} */ (store))
    await store.close()
    assert.ok(!kept.includes('marzipan'))
    assert.ok(kept.includes('NEXT'))
  })

  test('that nobody holds is held for the time that forgetting takes', async t => {
    const scratch = await postgres().database(t)
    const world = await makeWorld(t)
    const sidecar = await world.sidecar({ DATABASE_URL: scratch.url, LEASE_S: '30' })
    await scratch.rows('INSERT INTO whatsapp_entries (tenant_id, table_name, key, value) VALUES ($1, $2, $3, $4)',
      ['1', 'sends', '["OUT"]', JSON.stringify({ to: LID, text: 'marzipan', state: 'sent', atMs: Date.now() })])
    assert.equal((await sidecar.ask('POST /tenants/1/forget', { addresses: [LID] })).status, 204)
    const kept = (await scratch.entries()).filter((/** @type {any} */ { table_name: table }) => table === 'sends')
    assert.equal(kept.length, 1)
    assert.deepEqual(marksIn(JSON.stringify(kept)), [])
  })
})
