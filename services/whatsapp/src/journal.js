import { createHash } from 'node:crypto'
import { makeArrivalOrder } from './arrival-order.js'
import { nothing } from './baileys.js'
import { chatOf } from './message.js'
import { entriesUnder, removeWhere } from './store.js'

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
 * @property {number} notedAtMs when it last arrived, epoch
 * @property {number} [firstAtMs] when it first arrived
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
  const { notes, plaintexts, journal, aside, known, meta } = store
  /** @type {Map<string, Note>} all of the table, by its key */
  const noted = new Map([...notes.getRange()].map(({ key, value }) => [JSON.stringify(key), value]))
  /** @type {Map<string, ReturnType<typeof makeArrivalOrder>>} */
  const orders = new Map()
  /** @type {(waiting: Waiting) => void} */
  let onWaiting = () => {}
  /** @type {Map<string, number>} tenant → the last number given out */
  const sequences = new Map()

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
    const before = noted.get(JSON.stringify(key))
    const sequence = before?.sequence ?? nextSequence(tenantId)
    const now = clock.now()
    putNote({ tenantId, attrs, sequence, notedAtMs: now, firstAtMs: before?.firstAtMs ?? now, asked: 0 })
    orderOf(tenantId).expect(lineOf(attrs), sequence)
  }

  /**
   * The number's line is down, or has just come back: unread stanzas keep their places for longer.
   *
   * @param {string} tenantId
   */
  function hold (tenantId) {
    orders.get(tenantId)?.hold()
  }

  /**
   * The sender is asked to send a stanza again.
   *
   * @param {Note} one
   */
  function countAsking (one) {
    putNote({ ...one, asked: one.asked + 1 })
    orderOf(one.tenantId).expect(lineOf(one.attrs), one.sequence, one.firstAtMs)
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
    const entered = await store.transaction(tenantId, () => {
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
    return (stanza && noted.get(JSON.stringify(noteKey(tenantId, stanza)))?.sequence) ?? nextSequence(tenantId)
  }

  /**
   * @param {string} tenantId
   * @param {number} sequence
   * @param {Arrival} arrival
   * @returns {boolean} false: nothing new for the server
   */
  function enter (tenantId, sequence, { hash, plaintext, stanza, message, upsertType, receivedAtMs }) {
    if (stanza) notes.remove(noteKey(tenantId, stanza))
    const chat = stanza && lineOf(stanza)
    if (hash && plaintext) plaintexts.put([tenantId, hash], { plaintext, atMs: receivedAtMs, chat })
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
    const asKnown = knownKey(tenantId, key)
    return known.get(asKnown) !== undefined || known.get(namelessKey(asKnown)) !== undefined
  }

  /**
   * @param {string} tenantId
   * @param {number} sequence
   * @param {Arrival} arrival
   * @param {boolean} isNew
   */
  function settle (tenantId, sequence, { stanza, message }, isNew) {
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
    await journal.remove([tenantId, sequence])
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
    await store.transaction(tenantId, () => {
      aside.put([tenantId, sequence], { message, why, atMs: clock.now() })
      journal.remove([tenantId, sequence])
    })
  }

  /**
   * Begin to tell *listener* of messages that wait for the server, each in its
   * turn: first what an earlier run left behind.
   *
   * @param {(waiting: Waiting) => void} listener
   */
  function start (listener) {
    onWaiting = listener
    for (const tenantId of new Set([...notes.getKeys(), ...journal.getKeys()].map(key => key[0]))) take(tenantId)
  }

  /**
   * Go on with the messages of a number that the store holds from now on.
   *
   * @param {string} tenantId
   */
  function take (tenantId) {
    leave(tenantId)
    for (const { key, value } of entriesUnder(notes, [tenantId])) {
      noted.set(JSON.stringify(key), value)
      orderOf(tenantId).expect(lineOf(value.attrs), value.sequence, value.firstAtMs)
    }
    hold(tenantId)
    for (const { value } of entriesUnder(journal, [tenantId])) {
      const { key: { fromMe, remoteJid }, journal: { sequence } } = value
      orderOf(tenantId).arrive(lineOf(fromMe ? { recipient: remoteJid } : { from: remoteJid }), sequence,
        { tenantId, sequence, chat: chatOf(value.key) })
    }
  }

  /**
   * Another sidecar goes on with this number.
   *
   * @param {string} tenantId
   */
  function leave (tenantId) {
    orders.get(tenantId)?.close()
    orders.delete(tenantId)
    sequences.delete(tenantId)
    for (const [name, one] of noted) {
      if (one.tenantId === tenantId) noted.delete(name)
    }
  }

  /**
   * Whether something of a guest's has arrived that the server has not judged.
   *
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  function isWaiting (tenantId, isTheirs) {
    const messages = [...entriesUnder(journal, [tenantId])].map(({ value }) => value)
    return messages.some(message => isOf(message, isTheirs))
      || unread(tenantId, Infinity).some(({ attrs }) => isTheirs(lineOf(attrs)))
  }

  /**
   * Forget a guest's words, and with whom they were exchanged. What has been
   * judged is still known when it comes again, by its id.
   *
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  async function forget (tenantId, isTheirs) {
    await store.transaction(tenantId, () => {
      for (const { key, value } of [...entriesUnder(aside, [tenantId])]) {
        if (isOf(value.message, isTheirs)) aside.remove(key)
      }
      for (const { key, value } of [...entriesUnder(plaintexts, [tenantId])]) {
        // The same ciphertext could not be opened again: it holds nothing from now on.
        if (isTheirs(value.chat ?? '')) plaintexts.put(key, { plaintext: nothing(), atMs: value.atMs })
      }
      for (const { key, value } of [...entriesUnder(known, [tenantId])]) {
        if (!isTheirs(key[1])) continue
        known.remove(key)
        known.put(namelessKey(key), value)
      }
    })
  }

  /** Forget what is too old to matter. Returns the notes given up on. */
  async function prune () {
    const time = clock.now()
    const lost = [...noted.values()].filter(one => one.notedAtMs < time - NOTE_FOR_MS)
    for (const { tenantId, attrs } of lost) strikeNote(tenantId, attrs)
    await removeWhere(store, aside, value => value.atMs < time - ASIDE_FOR_MS)
    await removeWhere(store, plaintexts, value => value.atMs < time - PLAINTEXT_FOR_MS)
    await removeWhere(store, known, value => value < time - KNOWN_FOR_MS)
    return lost
  }

  /** @param {string} tenantId */
  function nextSequence (tenantId) {
    // Stores of earlier versions counted all tenants together.
    const last = sequences.get(tenantId) ?? meta.get([tenantId, 'sequence']) ?? meta.get('sequence') ?? 0
    sequences.set(tenantId, last + 1)
    meta.put([tenantId, 'sequence'], last + 1).catch(onFailure)
    return last + 1
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
    countAsking,
    hold,
    plaintextOf,
    commit,
    append,
    knows,
    read,
    strike,
    setAside,
    start,
    take,
    leave,
    isWaiting,
    forget,
    prune,
    /** @param {string} tenantId */
    isEmpty: tenantId => [...entriesUnder(journal, [tenantId])].length === 0,
    counts: () => ({ waiting: journal.getKeysCount(), setAside: aside.getKeysCount() })
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
 * The same for a message of somebody who is to be forgotten.
 *
 * @param {any} key of `known`
 */
function namelessKey ([tenantId, ...named]) {
  return [tenantId, createHash('sha256').update(JSON.stringify(named)).digest('hex')]
}

/**
 * @param {Pick<JournaledMessage, 'key'>} message
 * @param {(jid: string) => boolean} isTheirs
 */
function isOf ({ key: { remoteJid, remoteJidAlt = '' } }, isTheirs) {
  return isTheirs(remoteJid) || isTheirs(remoteJidAlt)
}

/**
 * The chat that a stanza belongs to, as its address on the wire without device.
 *
 * @param {Attributes} attrs
 */
export function lineOf ({ from = '', recipient = from }) {
  return recipient.replace(/:\d+@/, '@')
}

/** Some ids are of the sender's choice. @param {string} id */
export function shortId (id) {
  return id.length <= LONGEST_ID ? id : createHash('sha256').update(id).digest('hex')
}
