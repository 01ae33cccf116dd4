import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeJournal, NOTE_FOR_MS, PLAINTEXT_FOR_MS } from '../src/journal.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { onEachStore } from '../testing/stores.js'

/** @param {{ id?: string, remoteJid?: string, remoteJidAlt?: string, fromMe?: boolean, text?: string }} [what] */
function anArrival ({ id = 'A', remoteJid = '7@lid', remoteJidAlt, fromMe = false, text = 'hi' } = {}) {
  const key = { remoteJid, ...(remoteJidAlt && { remoteJidAlt }), fromMe, id }
  const message = { key, messageTimestamp: 1, message: { conversation: text } }
  return { message, upsertType: /** @type {const} */ ('notify'), receivedAtMs: 5 }
}

onEachStore(open => {
  /** @param {import('node:test').TestContext} t */
  async function arrange (t) {
    const clock = makeFakeClock()
    const { store, reopen } = await open(t)
    const journal = makeJournal({ store, clock, onFailure: assert.ifError })
    /** @type {any[]} */
    const announced = []
    journal.start(waiting => announced.push(waiting))
    return { clock, store, reopen, journal, announced }
  }

  test('messages of a number get ascending sequence numbers and are handed on when they are on disk', async t => {
    const { journal, announced } = await arrange(t)
    await journal.append('1', anArrival({ id: 'A' }))
    await journal.append('2', anArrival({ id: 'B' }))
    assert.deepEqual(announced, [
      { tenantId: '1', sequence: 1, chat: '7@lid' },
      { tenantId: '2', sequence: 1, chat: '7@lid' }
    ])
    assert.deepEqual(journal.read('1', 1)?.journal, { sequence: 1, upsertType: 'notify', receivedAtMs: 5 })
  })

  test('a message that comes twice is one entry, also after it was judged', async t => {
    const { journal, announced } = await arrange(t)
    await journal.append('1', anArrival())
    await journal.append('1', anArrival())
    await journal.strike('1', 1)
    await journal.append('1', anArrival())
    assert.equal(announced.length, 1)
    assert.equal(journal.counts().waiting, 0)
  })

  test('the same id in another chat, or from the host, is another message', async t => {
    const { journal, announced } = await arrange(t)
    await journal.append('1', anArrival())
    await journal.append('1', anArrival({ remoteJid: '8@lid' }))
    await journal.append('1', anArrival({ fromMe: true }))
    assert.equal(announced.length, 3)
  })

  test('a message that is redelivered under the guest\'s other address is the same one', async t => {
    const { journal, announced } = await arrange(t)
    await journal.append('1', anArrival({ remoteJid: '7@lid', remoteJidAlt: '972@s.whatsapp.net' }))
    await journal.append('1', anArrival({ remoteJid: '972@s.whatsapp.net', remoteJidAlt: '7@lid' }))
    assert.equal(announced.length, 1)
  })

  test('keys and the message they decrypted are committed together', async t => {
    const { journal, store } = await arrange(t)
    await journal.commit('1', () => store.keys.put(['1', 'session', 's'], 'ratchet'), [
      { ...anArrival(), hash: 'h', plaintext: Buffer.from('p') }
    ])
    assert.equal(store.keys.get(['1', 'session', 's']), 'ratchet')
    assert.equal(journal.counts().waiting, 1)
    assert.equal(Buffer.from(journal.plaintextOf('1', 'h') ?? '').toString(), 'p')
  })

  test('a stanza counts as unread until its plaintext is journaled', async t => {
    const { journal, clock } = await arrange(t)
    const [read, unread] = [{ from: '7@lid', id: 'A' }, { from: '7@lid', id: 'B' }]
    journal.note('1', read)
    journal.note('1', unread)
    await journal.append('1', { ...anArrival(), stanza: read })
    const [note, ...more] = journal.unread('1', clock.now() + 1)
    assert.deepEqual(note.attrs, unread)
    assert.deepEqual(more, [])
    journal.countAsking(note)
    assert.equal(journal.unread('1', clock.now() + 1)[0].asked, 1)
  })

  test('messages are handed on in the order in which their stanzas arrived', async t => {
    const { journal, announced } = await arrange(t)
    const stanzas = ['A', 'B', 'C'].map(id => ({ from: '7:3@lid', id }))
    for (const stanza of stanzas) journal.note('1', stanza)
    for (const n of [2, 1, 0]) await journal.append('1', { ...anArrival({ id: stanzas[n].id }), stanza: stanzas[n] })
    assert.deepEqual(announced.map(({ sequence }) => sequence), [1, 2, 3])
    assert.deepEqual([1, 2, 3].map(sequence => journal.read('1', sequence)?.key.id), ['A', 'B', 'C'])
  })

  test('what was waiting when the process died is handed on by the next, in order', async t => {
    const { store: before, reopen } = await open(t)
    const clock = makeFakeClock()
    const first = makeJournal({ store: before, clock, onFailure: assert.ifError })
    for (const id of ['A', 'B', 'C']) await first.append('1', anArrival({ id }))
    first.note('1', { from: '7@lid', id: 'D' })
    await first.append('1', { ...anArrival({ id: 'E' }) })

    const after = await reopen()
    const journal = makeJournal({ store: after, clock, onFailure: assert.ifError })
    assert.equal(journal.counts().waiting, 4)
    /** @type {number[]} */
    const announced = []
    journal.start(({ sequence }) => announced.push(sequence))
    assert.deepEqual(announced, [1, 2, 3])
    // The stanza that was noted and not read comes again, and goes first.
    journal.note('1', { from: '7@lid', id: 'D' })
    await journal.append('1', { ...anArrival({ id: 'D' }), stanza: { from: '7@lid', id: 'D' } })
    assert.deepEqual(announced, [1, 2, 3, 4, 5])
    await journal.append('1', anArrival({ id: 'F' }))
    assert.equal(announced.at(-1), 6)
  })

  test('a message that is set aside leaves the queue and is counted', async t => {
    const { journal } = await arrange(t)
    await journal.append('1', anArrival())
    await journal.setAside('1', 1, 'HTTP 413')
    await journal.setAside('1', 1, 'HTTP 413')
    assert.deepEqual(journal.counts(), { waiting: 0, setAside: 1 })
    assert.equal(journal.read('1', 1), undefined)
  })

  test('an id of any length is kept apart from others', async t => {
    const { journal, announced } = await arrange(t)
    journal.note('1', { from: '7@lid', id: 'x'.repeat(5000) })
    await journal.append('1', anArrival({ id: 'x'.repeat(5000) }))
    await journal.append('1', anArrival({ id: `${'x'.repeat(5000)}y` }))
    assert.equal(announced.length, 2)
  })

  test('plaintexts are kept for a day, notes for two weeks, and lost notes are told', async t => {
    const { journal, clock } = await arrange(t)
    journal.note('1', { from: '7@lid', id: 'B' })
    await journal.append('1', { ...anArrival(), receivedAtMs: clock.now(), hash: 'h', plaintext: Buffer.from('p') })
    await clock.advance(PLAINTEXT_FOR_MS + 1)
    assert.deepEqual(await journal.prune(), [])
    assert.equal(journal.plaintextOf('1', 'h'), undefined)
    await clock.advance(NOTE_FOR_MS)
    assert.deepEqual((await journal.prune()).map(({ attrs }) => attrs.id), ['B'])
    assert.deepEqual(journal.unread('1', clock.now()), [])
    assert.equal(journal.counts().waiting, 1)
  })
})
