import { removeWhere } from './store.js'

/**
 * The ledger of sends: what was asked for under which id, and what became of it.
 *
 * @typedef {object} Send
 * @property {string} to
 * @property {string} text
 * @property {'sending' | 'sent' | 'refused'} state
 * @property {number} atMs epoch, of the last change
 * @property {number} [durationMs] from the request to WhatsApp's ack
 * @property {number} [code] why it was refused
 * @typedef {ReturnType<typeof makeLedger>} Ledger
 */

const KEPT_FOR_MS = 30 * 24 * 60 * 60 * 1000

/**
 * @param {{ store: import('./store.js').Store, now?: () => number }} deps
 */
export function makeLedger ({ store, now = Date.now }) {
  const { sends } = store
  /** @type {Map<string, Send>} on their way to the disk: what is written can be read at once */
  const unwritten = new Map()

  /**
   * @param {string} tenantId
   * @param {string} messageId
   * @returns {Send | undefined}
   */
  function find (tenantId, messageId) {
    if (messageId.length > LONGEST_MESSAGE_ID) return undefined
    return unwritten.get(`${tenantId} ${messageId}`) ?? sends.get([tenantId, messageId])
  }

  /**
   * Resolves when it is on disk.
   *
   * @param {string} tenantId
   * @param {string} messageId
   * @param {Omit<Send, 'atMs'>} send
   */
  async function write (tenantId, messageId, send) {
    const name = `${tenantId} ${messageId}`
    const entry = { ...send, atMs: now() }
    unwritten.set(name, entry)
    try {
      await sends.put([tenantId, messageId], entry)
    } finally {
      if (unwritten.get(name) === entry) unwritten.delete(name)
    }
  }

  /** Forget sends that nobody will repeat or ask about any more. */
  async function prune () {
    await removeWhere(store, sends, send => send.atMs < now() - KEPT_FOR_MS)
  }

  return { find, write, prune }
}

/** Ours are much shorter; a sender's could be too long for a key. */
export const LONGEST_MESSAGE_ID = 128
