import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { INBOUND, decodeMessage, findOtherJid, isDirect, isOwn, nothing, tidy, withOurs } from './baileys.js'
import { plainContent } from './message.js'
import { makeSessionLock } from './session-lock.js'

/**
 * Gets every message of one number into the journal before WhatsApp is told
 * that it arrived.
 *
 * Baileys sends the delivery receipt first and hands the message over later; a
 * crash in between would lose it. So the stanza is noted the moment it arrives,
 * and its message is journaled in the very transaction that stores the ratchet
 * step which decrypted it: after a crash there are both, or neither and WhatsApp
 * delivers again. `messages.upsert` only adds what comes by other ways.
 *
 * @typedef {import('./baileys.js').Stanza} Stanza
 * @typedef {import('./baileys.js').Creds} Creds
 * @typedef {import('./baileys.js').KeyStore} KeyStore
 * @typedef {import('./journal.js').Arrival} Arrival
 */

/** Stanzas whose content has not come up for decryption. One that is forgotten is asked for again. */
const MOST_OPEN_STANZAS = 20_000

/**
 * @param {object} deps
 * @param {string} deps.tenantId
 * @param {import('./journal.js').Journal} deps.journal
 * @param {(messageId: string) => boolean} deps.isOwnSend sent by us through /send
 * @param {import('./logger.js').Logger} deps.logger
 * @param {() => number} [deps.now]
 */
export function makeStanzaRecorder ({ tenantId, journal, isOwnSend, logger, now = Date.now }) {
  /** @type {Map<string, Record<string, string>[]>} hash of a ciphertext → the attributes of each stanza it came in */
  const open = new Map()

  /** @param {Stanza} stanza every one that arrives, before Baileys looks at it */
  function onStanza ({ tag, attrs, content }) {
    if (tag !== 'message' || !Array.isArray(content)) return
    const sealed = content.filter(isSealed)
    if (sealed.length === 0) return
    for (const child of sealed) remember(hashOf(/** @type {Uint8Array} */ (child.content)), attrs)
    if (isDirect(attrs)) journal.note(tenantId, attrs)
  }

  /**
   * @param {string} hash
   * @param {Record<string, string>} attrs
   */
  function remember (hash, attrs) {
    open.set(hash, [...open.get(hash) ?? [], attrs])
    if (open.size > MOST_OPEN_STANZAS) open.delete(/** @type {string} */ (open.keys().next().value))
  }

  /**
   * @param {string} hash
   * @returns {Record<string, string>}
   */
  function takeStanza (hash) {
    const [attrs, ...others] = open.get(hash) ?? []
    if (others.length > 0) open.set(hash, others)
    else open.delete(hash)
    // Decrypting it would move the ratchet on without a message in the journal.
    if (!attrs) throw new Error('the stanza of this ciphertext is not known')
    return attrs
  }

  /**
   * Wrap Baileys' Signal repository so that what it decrypts is journaled, and
   * what it encrypts leaves only once the ratchet step is kept.
   *
   * @param {import('./baileys.js').MakeSignalRepository} makeRepository
   * @param {(sessions: Record<string, any>) => Promise<void>} keepSessions
   * @returns {import('./baileys.js').MakeSignalRepository}
   */
  function recording (makeRepository, keepSessions) {
    return (auth, logger, findLids) => {
      const encrypting = new AsyncLocalStorage()
      const lock = makeSessionLock()
      const keys = {
        ...auth.keys,
        async set (/** @type {import('baileys').SignalDataSet} */ data) {
          await auth.keys.set(data)
          if (data.session && encrypting.getStore()) await keepSessions(data.session)
        }
      }
      const repository = makeRepository({ ...auth, keys }, logger, findLids)
      return withOurs(repository, {
        encryptMessage: plain => lock.share(() => encrypting.run(true, () => repository.encryptMessage(plain))),
        decryptMessage: async sealed => {
          const hash = hashOf(sealed.ciphertext)
          const stanza = takeStanza(hash)
          return lock.alone(async () => {
            if (!isDirect(stanza)) return readQuietly(repository, sealed)
            return readBefore(hash, stanza) ?? await readAndJournal({ repository, auth, sealed, hash, stanza })
          })
        }
      })
    }
  }

  /**
   * A redelivery of what a crash kept us from acknowledging. The ratchet has
   * moved on and could not read it again.
   *
   * @param {string} hash
   * @param {Record<string, string>} stanza
   */
  function readBefore (hash, stanza) {
    const plaintext = journal.plaintextOf(tenantId, hash)
    if (plaintext) journal.strikeNote(tenantId, stanza)
    return plaintext
  }

  /** @param {{ repository: any, auth: any, sealed: any, hash: string, stanza: Record<string, string> }} reading */
  function readAndJournal ({ repository, auth, sealed, hash, stanza }) {
    return auth.keys.transaction(async () => {
      const plaintext = await repository.decryptMessage(sealed)
      const message = await compose(stanza, plaintext, auth)
      /** @type {Arrival} */
      const arrival = { hash, plaintext, stanza, message, upsertType: stanza.offline ? 'append' : 'notify', receivedAtMs: now() }
      await auth.keys.set({ [INBOUND]: { [hash]: arrival } })
      return plaintext
    }, sealed.jid)
  }

  /**
   * @param {Record<string, string>} stanza
   * @param {Uint8Array} plaintext
   * @param {{ creds: Creds, keys: KeyStore }} auth
   */
  async function compose (stanza, plaintext, auth) {
    try {
      return await complete(decodeMessage(stanza, plaintext, auth.creds), auth)
    } catch (error) {
      // Baileys will not make sense of it either, and ask for it again.
      logger.warn({ event: 'message_undecodable', tenantId, messageId: stanza.id, error: /** @type {Error} */ (error).name })
      return null
    }
  }

  /**
   * @param {import('./baileys.js').Decoded} decoded
   * @param {{ creds: Creds, keys: KeyStore }} auth
   * @returns {Promise<Arrival['message']>} null: of no interest to the server
   */
  async function complete ({ content, ...decoded }, { creds, keys }) {
    const { key } = decoded
    const message = plainContent(content)
    if (!message || isOwn(key.remoteJid, creds) || (key.fromMe && isOwnSend(key.id))) return null
    const remoteJidAlt = key.remoteJidAlt ?? await findOtherJid(key.remoteJid, keys)
    const full = { ...key, ...(remoteJidAlt && { remoteJidAlt }) }
    return { ...decoded, key: full, message }
  }

  /**
   * What Baileys hands over. Nearly all of it is in the journal by now; what is
   * not came unsealed, say from the host's phone on request.
   *
   * @param {{ messages: any[], type: 'notify' | 'append' }} upsert
   * @param {{ creds: Creds, keys: KeyStore }} auth
   */
  async function onUpsert ({ messages, type }, auth) {
    for (const message of messages) {
      const { remoteJid, participant, id } = message.key
      if (!message.message || !id || !isDirect({ from: remoteJid ?? '', participant: participant ?? '' })) continue
      const entry = await complete(tidy(message, auth.creds), auth)
      if (!entry || journal.knows(tenantId, entry.key)) continue
      await journal.append(tenantId, { message: entry, upsertType: type, receivedAtMs: now() })
    }
  }

  return { onStanza, recording, onUpsert }
}

/**
 * Groups, status and lists: keep the sessions in step, complain about nothing.
 *
 * @param {any} repository
 * @param {any} sealed
 */
async function readQuietly (repository, sealed) {
  try {
    return await repository.decryptMessage(sealed)
  } catch {
    return nothing()
  }
}

/** @param {Stanza} child of a message: is it one that decryptMessage will get? */
function isSealed ({ tag, attrs, content }) {
  return tag === 'enc' && ['msg', 'pkmsg'].includes(attrs.type) && content instanceof Uint8Array
}

/** @param {Uint8Array} ciphertext */
function hashOf (ciphertext) {
  return createHash('sha256').update(ciphertext).digest('base64')
}
