/**
 * Lets one number's messages go in the order in which their stanzas arrived.
 *
 * Baileys reads a backlog and live messages side by side, and one that cannot
 * be decrypted comes a second time: they are read in another order than they
 * were written in. So a message waits for those of its chat that arrived before
 * it: a moment, and longer while the line is down or has just come back, because
 * what was left unread then is yet to be asked for.
 *
 * @typedef {import('./journal.js').Waiting} Waiting
 * @typedef {object} Entry
 * @property {number} sequence
 * @property {number} sinceMs when its stanza first arrived
 * @property {number} untilMs so long others wait for it
 * @property {boolean} isRead
 * @property {Waiting} [waiting]
 */

/** Time for a guest's phone to send again what we could not read. */
const PATIENCE_MS = 3000
/** Time for a line to come back, and for what was left unread to be asked for. */
const RETURN_MS = 20_000
/** What has not come in all this time is not waited for again, however often the line breaks. */
const LONGEST_MS = 60_000
const LOOK_EVERY_MS = 1000

/**
 * @param {object} deps
 * @param {Pick<import('./clock.js').Clock, 'now' | 'after'>} deps.clock
 * @param {(waiting: Waiting) => void} deps.release
 */
export function makeArrivalOrder ({ clock, release }) {
  /** @type {Map<string, Entry[]>} by chat, ascending */
  const chats = new Map()
  let last = { sequence: 0, readAt: clock.now() }
  let isTimed = false
  let cancelTimer = () => {}

  /**
   * A stanza has arrived, or has been asked for again, that is yet to be read.
   *
   * @param {string} chat
   * @param {number} sequence
   * @param {number} [sinceMs] when it first arrived
   */
  function expect (chat, sequence, sinceMs = clock.now()) {
    place(chat, sequence, sinceMs).untilMs = clock.now() + PATIENCE_MS
    if (!isTimed) startTimer()
  }

  /** The line is down, or has just come back: what is expected now takes longer. */
  function hold () {
    const untilMs = clock.now() + RETURN_MS
    for (const entry of [...chats.values()].flat()) {
      entry.untilMs = Math.max(entry.untilMs, Math.min(untilMs, entry.sinceMs + LONGEST_MS))
    }
  }

  /**
   * A stanza has been read; *waiting* is its message, if there is one to hand on.
   *
   * @param {string} chat
   * @param {number} sequence
   * @param {Waiting} [waiting]
   */
  function arrive (chat, sequence, waiting) {
    last = { sequence, readAt: clock.now() }
    Object.assign(place(chat, sequence, clock.now()), { isRead: true, waiting })
    advance(chat)
  }

  /**
   * @param {string} chat
   * @param {number} sequence
   * @param {number} sinceMs
   */
  function place (chat, sequence, sinceMs) {
    const line = chats.get(chat) ?? []
    chats.set(chat, line)
    const known = line.find(entry => entry.sequence === sequence)
    if (known) return known
    /** @type {Entry} */
    const entry = { sequence, sinceMs, untilMs: sinceMs, isRead: false }
    // Nearly always the last: only what comes a second time has an old number.
    const after = line.findLastIndex(other => other.sequence < sequence)
    line.splice(after + 1, 0, entry)
    return entry
  }

  /** @param {string} chat */
  function advance (chat) {
    const line = chats.get(chat) ?? []
    while (line[0]?.isRead) {
      const { waiting } = /** @type {Entry} */ (line.shift())
      if (waiting) release(waiting)
    }
    if (line.length === 0) chats.delete(chat)
  }

  function startTimer () {
    isTimed = true
    cancelTimer = clock.after(LOOK_EVERY_MS, () => {
      isTimed = false
      giveUp()
      if (chats.size > 0) startTimer()
    })
  }

  /** Go on without what has not been read in all this time; should it come yet, it goes at once. */
  function giveUp () {
    for (const [chat, line] of chats) {
      const hopeful = line.filter(entry => entry.isRead || isHopeful(entry))
      if (hopeful.length === line.length) continue
      chats.set(chat, hopeful)
      advance(chat)
    }
  }

  /** @param {Entry} entry */
  function isHopeful ({ sequence, untilMs }) {
    // A backlog is read from its beginning: as long as that goes on, the rest is still to come.
    const isOnTheWay = last.sequence < sequence && clock.now() - last.readAt < PATIENCE_MS
    return isOnTheWay || clock.now() < untilMs
  }

  /** Hand on nothing more. */
  function close () {
    cancelTimer()
    chats.clear()
  }

  return { expect, hold, arrive, close }
}
