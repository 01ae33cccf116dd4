import { createHash } from 'node:crypto'
import { entriesUnder, removeWhere } from './store.js'

/**
 * The ledger of sends: what was asked for under which id, and what became of it.
 *
 * @typedef {object} Send
 * @property {string} [to] undefined, as is the text: the one it went to is forgotten
 * @property {string} [text]
 * @property {string} [digest] of the text that is forgotten
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

  /**
   * Forget to whom sends went and what they said. What has become of each stays,
   * so that none goes out a second time.
   *
   * @param {string} tenantId
   * @param {(messageId: string, to: string) => boolean} isMeant
   */
  async function forget (tenantId, isMeant) {
    await store.transaction(tenantId, () => {
      for (const { key, value: send } of [...entriesUnder(sends, [tenantId])]) {
        if (send.text === undefined || !isMeant(key[1], send.to ?? '')) continue
        sends.put(key, { ...send, to: undefined, text: undefined, digest: digestOf(key[1], send.text) })
      }
    })
  }

  /** Forget sends that nobody will repeat or ask about any more. */
  async function prune () {
    await removeWhere(store, sends, send => send.atMs < now() - KEPT_FOR_MS)
  }

  return { find, write, forget, prune }
}

/**
 * Whether what was sent under an id is what is to be sent now, as far as that is known.
 *
 * @param {Pick<Send, 'to' | 'text' | 'digest'>} send
 * @param {{ messageId: string, to: string, text: string }} request
 */
export function isSame (send, { messageId, to, text }) {
  return send.digest ? send.digest === digestOf(messageId, text) : send.to === to && send.text === text
}

/** @param {string} messageId @param {string} text */
function digestOf (messageId, text) {
  return createHash('sha256').update(JSON.stringify([messageId, text])).digest('hex')
}

/** Ours are much shorter; a sender's could be too long for a key. */
export const LONGEST_MESSAGE_ID = 128
