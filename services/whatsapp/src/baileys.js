// First: what the library prints on import or later must already be silenced.
import './quiet-console.js'
import {
  BufferJSON, DEFAULT_CONNECTION_CONFIG, areJidsSameUser, buildAckStanza, cleanMessage, decodeMessageNode,
  generateMessageIDV2, getMediaKeys, initAuthCreds, jidDecode, jidNormalizedUser, makeCacheableSignalKeyStore,
  makeWASocket, normalizeMessageContent, proto, unpadRandomMax16
} from 'baileys'
import { makeCache } from './cache.js'

/**
 * The one file that knows Baileys (7.0.0-rc14, unpatched). Everything else
 * sees sockets, stanzas and plain messages through it.
 *
 * @typedef {import('baileys').AuthenticationCreds} Creds
 * @typedef {import('baileys').SignalKeyStore} KeyStore
 * @typedef {import('baileys').WASocket} Socket
 * @typedef {import('baileys').BinaryNode} Stanza
 * @typedef {import('baileys').ConnectionState} ConnectionState
 * @typedef {import('baileys').SignalRepositoryWithLIDStore} SignalRepository
 * @typedef {typeof DEFAULT_CONNECTION_CONFIG.makeSignalRepository} MakeSignalRepository
 * @typedef {import('baileys').MediaType} MediaType
 * @typedef {{ lid: string, pn: string }} Mapping two addresses of one person, without devices
 * @typedef {Omit<import('./message.js').JournaledMessage, 'message' | 'journal'> & { content: any }} Decoded
 */

/** The key type under which messages ride along with the ratchet step that decrypted them. */
export const INBOUND = 'inbound'
/** Messages are not kept at all; sessions also change behind the cache (`AuthStore.keepSessions`). */
const UNCACHED = new RegExp(`^(${INBOUND}|session)\\.`)

const MINUTE_MS = 60_000
const DIRECT_SERVERS = ['s.whatsapp.net', 'lid', 'hosted', 'hosted.lid']
/** Padded and otherwise empty: what a stanza decrypts to when nobody wants to know. */
const NOTHING = new Uint8Array([1])

/** @returns {Creds} a new identity */
export const freshCreds = () => initAuthCreds()

/** @param {unknown} value */
export const toJson = value => JSON.stringify(value, BufferJSON.replacer)

/** @param {string} text */
export const fromJson = text => JSON.parse(text, BufferJSON.reviver)

/**
 * @param {string} type
 * @param {any} value
 */
export function reviveKey (type, value) {
  return type === 'app-state-sync-key' ? proto.Message.AppStateSyncKeyData.fromObject(value) : value
}

/**
 * @param {{ get: (type: string, ids: string[]) => any, set: (data: any) => Promise<void> }} keys
 * @returns {KeyStore}
 */
export function cacheKeys (keys) {
  const cache = makeCache({ limit: 2000, ttlMs: 5 * MINUTE_MS, keeps: key => !UNCACHED.test(key) })
  return makeCacheableSignalKeyStore(keys, undefined, cache)
}

/**
 * Tell of every pair of addresses that Baileys learns, however it learns it.
 *
 * @param {KeyStore} keys
 * @param {(mappings: Mapping[]) => void} onMappings
 * @returns {KeyStore}
 */
export function noticeMappings (keys, onMappings) {
  return {
    ...keys,
    async set (data) {
      await keys.set(data)
      const mappings = mappingsIn(data['lid-mapping'] ?? {})
      if (mappings.length > 0) onMappings(mappings)
    }
  }
}

/** @param {Record<string, string | null>} entries LID users with `_reverse` behind them → phone numbers, and back */
function mappingsIn (entries) {
  return Object.entries(entries).flatMap(([name, user]) => {
    const [, lid] = /^(\d+)_reverse$/.exec(name) ?? []
    return lid && user ? [{ lid: `${lid}@lid`, pn: `${user}@s.whatsapp.net` }] : []
  })
}

/**
 * Open one socket. A socket is used for one connection and never again.
 *
 * @param {object} options
 * @param {Creds} options.creds
 * @param {KeyStore} options.keys
 * @param {any} options.logger
 * @param {string | undefined} options.socketUrl
 * @param {[number, number, number] | undefined} options.version
 * @param {MakeSignalRepository} options.makeSignalRepository
 * @param {any} options.retryCounters outlives the socket
 * @param {(messageId: string) => string | undefined} options.findSentText for a phone that asks again
 * @returns {Socket}
 */
export function openSocket ({ creds, keys, socketUrl, version, retryCounters, findSentText, ...options }) {
  const socket = makeWASocket({
    ...options,
    auth: { creds, keys },
    ...(socketUrl && { waWebSocketUrl: socketUrl }),
    ...(version && { version }),
    msgRetryCounterCache: retryCounters,
    // Undefined when we do not know it: an empty text would reach the guest.
    getMessage: async ({ id }) => {
      const text = id ? findSentText(id) : undefined
      return text === undefined ? undefined : { extendedTextMessage: { text } }
    },
    connectTimeoutMs: 7000,
    defaultQueryTimeoutMs: 20_000,
    keepAliveIntervalMs: 15_000,
    syncFullHistory: false,
    markOnlineOnConnect: false,
    emitOwnEvents: false
  })
  endOnBadFrame(socket)
  endOnRefusal(socket)
  acknowledgeStatus(socket)
  return socket
}

/**
 * A frame that cannot be decoded rejects inside Baileys' own listener, which
 * would end the process; it ends this one socket instead.
 *
 * @param {Socket} socket
 */
function endOnBadFrame (socket) {
  const [decode] = socket.ws.listeners('message')
  if (!decode) return
  socket.ws.removeListener('message', /** @type {any} */ (decode))
  socket.ws.on('message', async (/** @type {unknown[]} */ ...args) => {
    try {
      await decode(...args)
    } catch (error) {
      await socket.end(/** @type {Error} */ (error))
    }
  })
}

/**
 * An answer that is no WebSocket, say HTTP 503, is left by `ws` to whoever
 * listens for it. Baileys only passes it on, and would wait for ever.
 *
 * @param {Socket} socket
 */
function endOnRefusal (socket) {
  socket.ws.on('unexpected-response', (/** @type {unknown} */ request, /** @type {import('node:http').IncomingMessage} */ response) => {
    response.destroy()
    socket.end(new Error(`HTTP ${response.statusCode} instead of a WebSocket`)).catch(() => {})
  })
}

/**
 * Baileys neither handles nor acknowledges top-level status stanzas, for which
 * the server recycles the stream every so often (whatsapp-rust #1101).
 *
 * @param {Socket} socket
 */
function acknowledgeStatus (socket) {
  socket.ws.on('CB:status', (/** @type {Stanza} */ stanza) => {
    socket.sendNode(buildAckStanza(stanza, undefined, undefined)).catch(() => {})
  })
}

/** The default Signal repository, for wrapping. */
export const makeSignalRepository = DEFAULT_CONNECTION_CONFIG.makeSignalRepository

/**
 * Is this stanza a chat of two, and not a group, a status or a newsletter?
 *
 * @param {Record<string, string>} attrs
 */
export function isDirect ({ from, recipient, participant }) {
  return !participant && [from, recipient].every(jid => !jid || DIRECT_SERVERS.includes(jidDecode(jid)?.server ?? ''))
}

/** @param {string} jid */
export const normalizeJid = jid => jidNormalizedUser(jid)

/** @param {string} jid */
export const isPerson = jid => /^\d+(:\d+)?@(s\.whatsapp\.net|lid)$/.test(jid)

/**
 * Put stanza and plaintext together to the message that Baileys would hand over.
 *
 * @param {Record<string, string>} attrs
 * @param {Uint8Array} plaintext padded
 * @param {Creds} creds
 * @returns {Decoded}
 */
export function decodeMessage (attrs, plaintext, creds) {
  const { fullMessage } = decodeMessageNode({ tag: 'message', attrs }, creds.me?.id ?? '', creds.me?.lid ?? '')
  const message = proto.Message.decode(unpadRandomMax16(plaintext))
  fullMessage.message = message.deviceSentMessage?.message ?? message
  return tidy(fullMessage, creds)
}

/**
 * @param {any} message a WAMessage
 * @param {Creds} creds
 * @returns {Decoded}
 */
export function tidy (message, creds) {
  const { id = '', lid = '' } = creds.me ?? {}
  cleanMessage(message, id, lid)
  const { remoteJid, remoteJidAlt, fromMe } = message.key
  // In what the host typed, Baileys may take the host's own address for the guest's other one.
  const alt = remoteJidAlt && !isOwn(remoteJidAlt, creds) ? jidNormalizedUser(remoteJidAlt) : undefined
  return {
    key: { remoteJid, ...(alt && { remoteJidAlt: alt }), fromMe: Boolean(fromMe), id: message.key.id },
    messageTimestamp: Number(message.messageTimestamp),
    ...(message.pushName && !fromMe && { pushName: message.pushName }),
    content: normalizeMessageContent(message.message)
  }
}

/**
 * @param {string} jid
 * @param {Creds} creds
 */
export function isOwn (jid, creds) {
  return areJidsSameUser(jid, creds.me?.id) || areJidsSameUser(jid, creds.me?.lid)
}

/**
 * The other address of a guest, from what this link has learnt; asks nobody.
 *
 * @param {string} jid
 * @param {Pick<KeyStore, 'get'>} keys
 */
export async function findOtherJid (jid, keys) {
  const { user, server } = jidDecode(jid) ?? {}
  if (!user) return undefined
  const id = server === 'lid' ? `${user}_reverse` : user
  const { [id]: other } = await keys.get('lid-mapping', [id])
  if (!other) return undefined
  return server === 'lid' ? `${other}@s.whatsapp.net` : `${other}@lid`
}

/**
 * @param {SignalRepository} repository
 * @param {Pick<SignalRepository, 'encryptMessage' | 'decryptMessage'>} ours in place of its own
 * @returns {SignalRepository}
 */
export function withOurs (repository, ours) {
  // Group messages are never read: an empty one is received without complaint,
  // where one that cannot be decrypted would be answered with an error, for
  // which the server may hold back everything else (Baileys #2779).
  return { ...repository, ...ours, decryptGroupMessage: async () => NOTHING }
}

/** @returns {Uint8Array} */
export const nothing = () => NOTHING

/** @param {Socket} socket */
export const makeMessageId = socket => generateMessageIDV2(socket.user?.id)

/**
 * @param {Socket} socket
 * @param {string} to
 * @param {{ text: string, messageId: string, quoted?: { id: string, text: string, fromMe: boolean } }} message
 */
export function sendText (socket, to, { text, messageId, quoted }) {
  const content = { text, linkPreview: null }
  return socket.sendMessage(to, content, { messageId, ...(quoted && { quoted: quote(to, quoted) }) })
}

/**
 * @param {string} chat
 * @param {{ id: string, text: string, fromMe: boolean }} quoted
 */
function quote (chat, { id, text, fromMe }) {
  return { key: { remoteJid: chat, id, fromMe }, message: { conversation: text } }
}

/**
 * Does WhatsApp know a device of this person? Without one a send would go to nobody.
 *
 * @param {Socket} socket
 * @param {string} jid
 */
export async function hasDevices (socket, jid) {
  return (await socket.getUSyncDevices([jid], true, false)).length > 0
}

/**
 * Ask WhatsApp a question that it must answer.
 *
 * @param {Socket} socket
 * @param {number} timeoutMs
 * @returns {Promise<boolean>} false: no answer in time
 */
export async function ping (socket, timeoutMs) {
  const stanza = {
    tag: 'iq',
    attrs: { id: socket.generateMessageTag(), to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' },
    content: [{ tag: 'ping', attrs: {} }]
  }
  return Boolean(await socket.query(stanza, timeoutMs))
}

/**
 * Ask the sender of a stanza that was never read to send it again.
 *
 * @param {Socket} socket
 * @param {Record<string, string>} attrs
 */
export function askAgain (socket, attrs) {
  return socket.sendRetryRequest({ tag: 'message', attrs, content: [] }, true)
}

/**
 * The keys under which a piece of media was sealed.
 *
 * @param {Uint8Array} mediaKey
 * @param {MediaType} type
 */
export async function mediaKeys (mediaKey, type) {
  const { cipherKey, iv, macKey } = await getMediaKeys(mediaKey, type)
  return { cipherKey, iv, macKey: /** @type {Buffer} */ (macKey) }
}

/**
 * Ask the business's phone to upload again what WhatsApp's servers no longer have.
 *
 * @param {Socket} socket
 * @param {import('./media-message.js').MediaMessage} message
 * @param {AbortSignal} signal when to wait no longer: a phone that is off does not answer
 * @returns {Promise<string | undefined>} its new path; undefined: it did not
 */
export async function askForUpload (socket, { key, kind, content }, signal) {
  const wanted = { key, message: { [kind]: { ...content, mediaKey: Buffer.from(String(content.mediaKey), 'base64') } } }
  // Baileys waits for an answer without limit, and with it a listener: an answer of our own ends both.
  const giveUp = () => socket.ev.emit('messages.media-update', [{ key, error: /** @type {any} */ (new Error('no answer')) }])
  signal.addEventListener('abort', giveUp, { once: true })
  try {
    const { message } = await socket.updateMediaMessage(/** @type {any} */ (wanted))
    return /** @type {any} */ (message)?.[kind]?.directPath ?? undefined
  } catch {
    return undefined
  } finally {
    signal.removeEventListener('abort', giveUp)
  }
}

/**
 * Drop the connection without waiting for the other side's farewell.
 *
 * @param {Socket} socket
 */
export function hangUp (socket) {
  const { socket: wire } = /** @type {any} */ (socket.ws)
  wire?.terminate()
}

/**
 * @param {Partial<ConnectionState>} update
 * @returns {number | undefined} the code that the connection ended with
 */
export function closeCode ({ lastDisconnect }) {
  return /** @type {any} */ (lastDisconnect?.error)?.output?.statusCode
}
