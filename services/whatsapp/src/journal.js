import { createHash } from 'node:crypto'
import { makeArrivalOrder } from './arrival-order.js'
import { chatOf } from './message.js'

/**
 * The journal: what came in stays here until the server has judged it.
 *
 * A message passes through four tables: a *note* when its stanza arrives, its
 * *plaintext* and its *entry* together with the ratchet step that decrypted it,
 * and, once judged, only the fact that it is *known*. The note gives it its
 * place in the order.
 */

const DAY_MS = 24 * 60 * 60 * 1000
/** WhatsApp keeps what could not be delivered for about a month. */
export const KNOWN_FOR_MS = 30 * DAY_MS
/** Long enough for any redelivery of the same ciphertext after a crash. */
export const PLAINTEXT_FOR_MS = DAY_MS
/** WhatsApp's clients ask for a message again for as long as this. */
export const NOTE_FOR_MS = 14 * DAY_MS
export const ASIDE_FOR_MS = 90 * DAY_MS
/** Sender-chosen ids longer than this are stored as their hash: keys are limited to 1978 bytes. */
const LONGEST_ID = 128

/**
 * @typedef {import('./message.js').JournaledMessage} JournaledMessage
 * @typedef {Record<string, string>} Attributes of a stanza
 * @typedef {object} Note a stanza that arrived, without its content
 * @property {string} tenantId
 * @property {Attributes} attrs
 * @property {number} sequence
 * @property {number} notedAtMs
 * @property {number} asked how often the sender was asked to send it again
 * @typedef {object} Arrival something that was read
 * @property {string} [hash] of the ciphertext it came in
 * @property {Uint8Array} [plaintext]
 * @property {Attributes} [stanza] its note is struck out
 * @property {Omit<JournaledMessage, 'journal'> | null} message null: of no interest to the server
 * @property {'notify' | 'append'} upsertType
 * @property {number} receivedAtMs epoch
 * @typedef {{ tenantId: string, sequence: number, chat: string }} Waiting
 * @typedef {ReturnType<typeof makeJournal>} Journal
 */

/**
 * @param {object} deps
 * @param {import('./store.js').Store} deps.store
 * @param {Pick<import('./clock.js').Clock, 'now' | 'after'>} deps.clock
 * @param {(error: Error) => void} deps.onFailure a write that nobody waits for has failed
 */
export function makeJournal ({ store, clock, onFailure }) {
  const { env, notes, plaintexts, journal, aside, known, meta } = store
  /** @type {Map<string, Note>} all of the table, by its key */
  const noted = new Map([...notes.getRange()].map(({ key, value }) => [JSON.stringify(key), value]))
  /** @type {Map<string, ReturnType<typeof makeArrivalOrder>>} */
  const orders = new Map()
  /** @type {(waiting: Waiting) => void} */
  let onWaiting = () => {}
  const counts = { waiting: journal.getKeysCount(), setAside: aside.getKeysCount() }
  /** @type {number} */
  let lastSequence = meta.get('sequence') ?? 0

  /**
   * Note a stanza before anything is done with it. The write is queued at once,
   * ahead of the one that will hold its plaintext.
   *
   * @param {string} tenantId
   * @param {Attributes} attrs
   */
  function note (tenantId, attrs) {
    const key = noteKey(tenantId, attrs)
    // What comes again keeps its place.
    const sequence = noted.get(JSON.stringify(key))?.sequence ?? nextSequence()
    putNote({ tenantId, attrs, sequence, notedAtMs: clock.now(), asked: 0 })
    orderOf(tenantId).expect(lineOf(attrs), sequence)
  }

  /** @param {Note} changed */
  function putNote (changed) {
    const key = noteKey(changed.tenantId, changed.attrs)
    noted.set(JSON.stringify(key), changed)
    notes.put(key, changed).catch(onFailure)
  }

  /**
   * There is nothing to expect from this stanza any more.
   *
   * @param {string} tenantId
   * @param {Attributes} attrs
   */
  function strikeNote (tenantId, attrs) {
    const key = noteKey(tenantId, attrs)
    const struck = noted.get(JSON.stringify(key))
    noted.delete(JSON.stringify(key))
    notes.remove(key).catch(onFailure)
    if (struck) orderOf(tenantId).arrive(lineOf(attrs), struck.sequence)
  }

  /**
   * Stanzas that were noted before *beforeMs* and never read.
   *
   * @param {string} tenantId
   * @param {number} beforeMs
   */
  function unread (tenantId, beforeMs) {
    return [...noted.values()].filter(one => one.tenantId === tenantId && one.notedAtMs < beforeMs)
  }

  /**
   * What this very ciphertext held when it was read before, if it was.
   *
   * @param {string} tenantId
   * @param {string} hash
   * @returns {Uint8Array | undefined}
   */
  function plaintextOf (tenantId, hash) {
    return plaintexts.get([tenantId, hash])?.plaintext
  }

  /**
   * Do *writes* and journal *arrivals*, all or nothing. Resolves when they are
   * on disk; a message that is known already is not journaled again.
   *
   * @param {string} tenantId
   * @param {() => void} writes
   * @param {Arrival[]} arrivals
   */
  async function commit (tenantId, writes, arrivals) {
    const numbered = arrivals.map(arrival => ({ arrival, sequence: sequenceOf(tenantId, arrival) }))
    const entered = await env.transaction(() => {
      writes()
      return numbered.map(({ arrival, sequence }) => enter(tenantId, sequence, arrival))
    })
    numbered.forEach(({ arrival, sequence }, n) => settle(tenantId, sequence, arrival, entered[n]))
  }

  /**
   * @param {string} tenantId
   * @param {Arrival} arrival
   */
  function append (tenantId, arrival) {
    return commit(tenantId, () => {}, [arrival])
  }

  /**
   * @param {string} tenantId
   * @param {Arrival} arrival
   */
  function sequenceOf (tenantId, { stanza }) {
    return (stanza && noted.get(JSON.stringify(noteKey(tenantId, stanza)))?.sequence) ?? nextSequence()
  }

  /**
   * @param {string} tenantId
   * @param {number} sequence
   * @param {Arrival} arrival
   * @returns {boolean} false: nothing new for the server
   */
  function enter (tenantId, sequence, { hash, plaintext, stanza, message, upsertType, receivedAtMs }) {
    if (stanza) notes.remove(noteKey(tenantId, stanza))
    if (hash && plaintext) plaintexts.put([tenantId, hash], { plaintext, atMs: receivedAtMs })
    if (!message) return false
    if (knows(tenantId, message.key)) return false
    known.put(knownKey(tenantId, message.key), receivedAtMs)
    journal.put([tenantId, sequence], { ...message, journal: { sequence, upsertType, receivedAtMs } })
    return true
  }

  /**
   * Has this message been journaled, be it judged by now or not?
   *
   * @param {string} tenantId
   * @param {import('./message.js').MessageKey} key
   */
  function knows (tenantId, key) {
    return known.get(knownKey(tenantId, key)) !== undefined
  }

  /**
   * @param {string} tenantId
   * @param {number} sequence
   * @param {Arrival} arrival
   * @param {boolean} isNew
   */
  function settle (tenantId, sequence, { stanza, message }, isNew) {
    if (isNew) counts.waiting += 1
    const waiting = isNew && message ? { tenantId, sequence, chat: chatOf(message.key) } : undefined
    if (!stanza) return waiting && onWaiting(waiting)
    noted.delete(JSON.stringify(noteKey(tenantId, stanza)))
    orderOf(tenantId).arrive(lineOf(stanza), sequence, waiting)
  }

  /**
   * @param {string} tenantId
   * @param {number} sequence
   * @returns {JournaledMessage | undefined}
   */
  function read (tenantId, sequence) {
    return journal.get([tenantId, sequence])
  }

  /**
   * The server has judged it: it is done with.
   *
   * @param {string} tenantId
   * @param {number} sequence
   */
  async function strike (tenantId, sequence) {
    if (await journal.remove([tenantId, sequence])) counts.waiting -= 1
  }

  /**
   * The server will not have it: keep it out of the way, for an operator.
   *
   * @param {string} tenantId
   * @param {number} sequence
   * @param {string} why
   */
  async function setAside (tenantId, sequence, why) {
    const message = read(tenantId, sequence)
    if (!message) return
    await env.transaction(() => {
      aside.put([tenantId, sequence], { message, why, atMs: clock.now() })
      journal.remove([tenantId, sequence])
    })
    counts.waiting -= 1
    counts.setAside += 1
  }

  /**
   * Begin to tell *listener* of messages that wait for the server, each in its
   * turn: first what an earlier run left behind.
   *
   * @param {(waiting: Waiting) => void} listener
   */
  function start (listener) {
    onWaiting = listener
    for (const { tenantId, attrs, sequence } of noted.values()) orderOf(tenantId).expect(lineOf(attrs), sequence)
    for (const { key, value } of journal.getRange()) {
      const [tenantId, sequence] = /** @type {[string, number]} */ (key)
      const { fromMe, remoteJid } = value.key
      orderOf(tenantId).arrive(lineOf(fromMe ? { recipient: remoteJid } : { from: remoteJid }), sequence,
        { tenantId, sequence, chat: chatOf(value.key) })
    }
  }

  /** Forget what is too old to matter. Returns the notes given up on. */
  async function prune () {
    const time = clock.now()
    const lost = [...noted.values()].filter(one => one.notedAtMs < time - NOTE_FOR_MS)
    for (const { tenantId, attrs } of lost) strikeNote(tenantId, attrs)
    const setAsideOnes = keysOf(aside, value => value.atMs < time - ASIDE_FOR_MS)
    const oldPlaintexts = keysOf(plaintexts, value => value.atMs < time - PLAINTEXT_FOR_MS)
    const oldKnown = keysOf(known, value => value < time - KNOWN_FOR_MS)
    await env.transaction(() => {
      for (const key of setAsideOnes) aside.remove(key)
      for (const key of oldPlaintexts) plaintexts.remove(key)
      for (const key of oldKnown) known.remove(key)
    })
    counts.setAside -= setAsideOnes.length
    return lost
  }

  function nextSequence () {
    lastSequence += 1
    meta.put('sequence', lastSequence).catch(onFailure)
    return lastSequence
  }

  /** @param {string} tenantId */
  function orderOf (tenantId) {
    const order = orders.get(tenantId) ?? makeArrivalOrder({ clock, release: waiting => onWaiting(waiting) })
    orders.set(tenantId, order)
    return order
  }

  return {
    note,
    strikeNote,
    unread,
    /** @param {Note} one */
    countAsking: one => putNote({ ...one, asked: one.asked + 1 }),
    plaintextOf,
    commit,
    append,
    knows,
    read,
    strike,
    setAside,
    start,
    prune,
    counts: () => ({ ...counts })
  }
}

/**
 * @param {string} tenantId
 * @param {Attributes} attrs
 */
function noteKey (tenantId, { from = '', recipient = '', id = '' }) {
  return [tenantId, from, recipient, shortId(id)]
}

/**
 * WhatsApp's ids are the sender's choice: unique within a chat only.
 *
 * @param {string} tenantId
 * @param {import('./message.js').MessageKey} key
 */
function knownKey (tenantId, key) {
  return [tenantId, chatOf(key), key.fromMe, shortId(key.id)]
}

/**
 * The chat that a stanza belongs to, as its address on the wire without device.
 *
 * @param {Attributes} attrs
 */
function lineOf ({ from = '', recipient = from }) {
  return recipient.replace(/:\d+@/, '@')
}

/** @param {string} id */
function shortId (id) {
  return id.length <= LONGEST_ID ? id : createHash('sha256').update(id).digest('hex')
}

/**
 * @param {import('lmdb').Database} table
 * @param {(value: any) => boolean} isMeant
 * @returns {any[]} keys
 */
function keysOf (table, isMeant) {
  return [...table.getRange()].filter(entry => isMeant(entry.value)).map(entry => entry.key)
}
