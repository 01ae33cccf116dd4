import { askAgain, normalizeJid } from './baileys.js'

/**
 * What a crash or a failed decryption left unread: asked for again, and told to
 * staff when it does not come. Should it come after all, it is taken as ever.
 */

const MOST_ASKED = 3
/** A guest's phone that is on answers within seconds. */
export const UNREADABLE_AFTER_MS = 10 * 60_000

/**
 * @typedef {{ id: string, from: string, at: number }} Unreadable at: when it arrived, epoch ms
 * @typedef {Pick<import('./journal.js').Journal, 'unread' | 'countAsking' | 'strikeNote' | 'knows'>} Notes
 */

/**
 * @param {object} deps
 * @param {string} deps.tenantId
 * @param {Notes} deps.journal
 * @param {(unreadable: Unreadable) => Promise<boolean>} deps.tell the server; false: tell it again later
 * @param {Pick<import('./clock.js').Clock, 'now'>} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeUnread ({ tenantId, journal, tell, clock, logger }) {
  /**
   * @param {import('./baileys.js').Socket} socket
   * @param {object} options
   * @param {number} options.beforeMs what arrived later may still be on its way through Baileys
   * @param {() => boolean} options.isCurrent whether the socket still is the one
   */
  async function pursue (socket, { beforeMs, isCurrent }) {
    for (const note of journal.unread(tenantId, beforeMs)) {
      if (!isCurrent()) return
      // It may have come by another way, from the host's own phone.
      if (journal.knows(tenantId, keyOf(note.attrs))) journal.strikeNote(tenantId, note.attrs)
      else if (note.asked < MOST_ASKED) await ask(socket, note)
      else if (clock.now() - (note.firstAtMs ?? note.notedAtMs) >= UNREADABLE_AFTER_MS) await giveUp(note)
    }
  }

  /**
   * @param {import('./baileys.js').Socket} socket
   * @param {import('./journal.js').Note} note
   */
  async function ask (socket, note) {
    journal.countAsking(note)
    await askAgain(socket, note.attrs)
    logger.info({ event: 'message_asked_again', tenantId, messageId: note.attrs.id })
  }

  /** @param {import('./journal.js').Note} note */
  async function giveUp ({ attrs, notedAtMs, firstAtMs = notedAtMs }) {
    const { id, from, recipient } = attrs
    // What the host typed is known to the host.
    if (!recipient && !await tell({ id, from, at: firstAtMs })) return
    journal.strikeNote(tenantId, attrs)
    logger.error({ event: 'message_unreadable', alert: true, tenantId, messageId: id })
  }

  return { pursue }
}

/**
 * The message that a stanza announces.
 *
 * @param {import('./journal.js').Attributes} attrs
 * @returns {import('./message.js').MessageKey}
 */
function keyOf ({ from, recipient, id, sender_lid: lid, peer_recipient_lid: recipientLid }) {
  const remoteJidAlt = recipient ? recipientLid : lid
  return {
    remoteJid: normalizeJid(recipient ?? from),
    ...(remoteJidAlt && { remoteJidAlt: normalizeJid(remoteJidAlt) }),
    fromMe: Boolean(recipient),
    id
  }
}
