/**
 * Lets one number's messages go in the order in which their stanzas arrived.
 *
 * Baileys reads a backlog and live messages side by side, and one that cannot
 * be decrypted comes a second time: they are read in another order than they
 * were written in. So a message waits for those of its chat that arrived before
 * it, unless nothing at all has been read for a while.
 *
 * @typedef {import('./journal.js').Waiting} Waiting
 * @typedef {{ sequence: number, expectedAt: number, isRead: boolean, waiting?: Waiting }} Entry
 */

/** Time for a guest's phone to send again what we could not read. */
const PATIENCE_MS = 3000

/**
 * @param {object} deps
 * @param {Pick<import('./clock.js').Clock, 'now' | 'after'>} deps.clock
 * @param {(waiting: Waiting) => void} deps.release
 */
export function makeArrivalOrder ({ clock, release }) {
  /** @type {Map<string, Entry[]>} by chat, ascending */
  const chats = new Map()
  let lastReadAt = clock.now()
  let isTimed = false
  let cancelTimer = () => {}

  /**
   * A stanza has arrived that is yet to be read.
   *
   * @param {string} chat
   * @param {number} sequence
   */
  function expect (chat, sequence) {
    place(chat, sequence)
    if (!isTimed) startTimer()
  }

  /**
   * A stanza has been read; *waiting* is its message, if there is one to hand on.
   *
   * @param {string} chat
   * @param {number} sequence
   * @param {Waiting} [waiting]
   */
  function arrive (chat, sequence, waiting) {
    lastReadAt = clock.now()
    Object.assign(place(chat, sequence), { isRead: true, waiting })
    advance(chat)
  }

  /**
   * @param {string} chat
   * @param {number} sequence
   */
  function place (chat, sequence) {
    const line = chats.get(chat) ?? []
    chats.set(chat, line)
    const known = line.find(entry => entry.sequence === sequence)
    if (known) return known
    const entry = { sequence, expectedAt: clock.now(), isRead: false }
    // Nearly always the last: only what comes a second time has an old number.
    const after = line.findLastIndex(other => other.sequence < sequence)
    line.splice(after + 1, 0, entry)
    return entry
  }

  /** @param {string} chat */
  function advance (chat) {
    const line = chats.get(chat) ?? []
    while (line[0]?.isRead) {
      const { waiting } = /** @type {{ waiting?: Waiting }} */ (line.shift())
      if (waiting) release(waiting)
    }
    if (line.length === 0) chats.delete(chat)
  }

  function startTimer () {
    isTimed = true
    cancelTimer = clock.after(PATIENCE_MS, () => {
      isTimed = false
      if (clock.now() - lastReadAt >= PATIENCE_MS) giveUp()
      if (chats.size > 0) startTimer()
    })
  }

  /** Go on without what has not been read in all this time; should it come yet, it goes at once. */
  function giveUp () {
    const tooOld = clock.now() - PATIENCE_MS
    for (const [chat, line] of chats) {
      const hopeful = line.filter(entry => entry.isRead || entry.expectedAt > tooOld)
      chats.set(chat, hopeful)
      advance(chat)
    }
  }

  /** Hand on nothing more. */
  function close () {
    cancelTimer()
    chats.clear()
  }

  return { expect, arrive, close }
}
