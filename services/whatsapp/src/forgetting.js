import { isLinked, makeAuthStore } from './auth-store.js'
import { findOtherJid, normalizeJid } from './baileys.js'
import { Conflict } from './errors.js'
import { lineOf } from './journal.js'
import { forgetRetryCounters } from './retry-counters.js'

/**
 * Forgets a guest whom the server erases: what they wrote, what was sent to
 * them, and that it was they.
 *
 * There stay, without a name, what keeps a message from being handed on or sent
 * a second time; and the Signal sessions and keys of the guest's phone, without
 * which its next message could not be read
 * (docs/decisions/0016-what-the-link-forgets.md).
 *
 * @typedef {object} Guest
 * @property {string[]} addresses JIDs by which the guest is known
 * @property {string[]} messageIds of what was sent to others about the guest
 */

/**
 * @param {object} deps
 * @param {import('./store.js').Store} deps.store
 * @param {import('./journal.js').Journal} deps.journal
 * @param {import('./ledger.js').Ledger} deps.ledger
 * @param {Pick<ReturnType<typeof import('./outbox.js').makeOutbox>, 'isSending'>} deps.outbox
 * @param {{ forget: (tenantId: string, isTheirs: (jid: string) => boolean) => void }[]} deps.inMemory
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeForgetting ({ store, journal, ledger, outbox, inMemory, logger }) {
  /**
   * Harmless when repeated, also after a crash half-way.
   *
   * @param {string} tenantId whose number is ours
   * @param {Guest} guest
   * @throws {Conflict} something of the guest's has not been judged or sent yet; nothing was forgotten
   */
  async function forget (tenantId, { addresses, messageIds }) {
    const theirs = await allAddresses(tenantId, addresses)
    const ids = new Set(messageIds)
    const isTheirs = (/** @type {string} */ jid) => theirs.has(normalizeJid(jid))
    const isSendOfTheirs = (/** @type {string} */ id, /** @type {string} */ to) => ids.has(id) || isTheirs(to)

    if (!isLinked(store, tenantId)) giveUpUnread(tenantId, isTheirs)
    if (journal.isWaiting(tenantId, isTheirs)) throw new Conflict('the server has not judged all messages of this guest')
    if (outbox.isSending(tenantId, isSendOfTheirs)) throw new Conflict('a message to this guest is being sent')
    await Promise.all([
      journal.forget(tenantId, isTheirs),
      ledger.forget(tenantId, isSendOfTheirs),
      forgetRetryCounters(store, tenantId, isTheirs)
    ])
    for (const part of inMemory) part.forget(tenantId, isTheirs)
    logger.info({ event: 'guest_forgotten', tenantId })
  }

  /**
   * Both addresses of a person, where the link has learnt that they are one.
   *
   * @param {string} tenantId
   * @param {string[]} jids
   */
  async function allAddresses (tenantId, jids) {
    const { keys } = makeAuthStore({ store, journal, tenantId })
    const others = await Promise.all(jids.map(jid => findOtherJid(jid, keys)))
    return new Set([...jids, ...others.filter(jid => jid !== undefined)].map(normalizeJid))
  }

  /**
   * Nobody sends again what was meant for a device that is not linked any more.
   *
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  function giveUpUnread (tenantId, isTheirs) {
    for (const { attrs } of journal.unread(tenantId, Infinity)) {
      if (isTheirs(lineOf(attrs))) journal.strikeNote(tenantId, attrs)
    }
  }

  return { forget }
}
