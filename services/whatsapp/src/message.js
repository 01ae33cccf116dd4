/**
 * The shape in which messages leave for the server. Pure.
 *
 * @typedef {object} MessageKey
 * @property {string} remoteJid the chat, as the guest wrote from
 * @property {string} [remoteJidAlt] the same guest's other address (LID or phone number), when known
 * @property {boolean} fromMe typed by the host on the phone
 * @property {string} id chosen by the sender, unique within the chat only
 * @typedef {object} JournaledMessage
 * @property {MessageKey} key
 * @property {number} messageTimestamp seconds since the epoch, by WhatsApp's server
 * @property {string} [pushName]
 * @property {Record<string, unknown>} message content, by kind
 * @property {{ sequence: number, upsertType: 'notify' | 'append', receivedAtMs: number }} journal
 */

/** Content that concerns the protocol or the app's own state, never a person. */
const PROTOCOL_KINDS = new Set([
  'protocolMessage', 'senderKeyDistributionMessage', 'fastRatchetKeySenderKeyDistributionMessage',
  'messageContextInfo', 'messageHistoryBundle', 'keepInChatMessage'
])

/** Binary that nobody reads and that would swell the journal. */
const BULKY = /thumbnail|messageSecret|reportingToken|waveform|sidecar|scanLengths/i

/**
 * Plain JSON of a message's content: bytes as base64, 64-bit integers as
 * numbers, previews and other bulk dropped.
 *
 * @param {any} content as unwrapped by Baileys' normalizeMessageContent
 * @returns {Record<string, unknown> | null} null: nothing that a person said or did
 */
export function plainContent (content) {
  if (!content) return null
  const kinds = Object.keys(content).filter(kind => isPresent(content[kind]))
  if (kinds.every(kind => PROTOCOL_KINDS.has(kind))) return null
  const said = kinds.filter(kind => !PROTOCOL_KINDS.has(kind))
  return Object.fromEntries(said.map(kind => [kind, plain(content[kind])]))
}

/**
 * The lane of a chat. A guest who is known by two addresses has one lane.
 *
 * @param {MessageKey} key
 */
export function chatOf ({ remoteJid, remoteJidAlt }) {
  return [remoteJid, remoteJidAlt].find(jid => jid?.endsWith('@lid')) ?? remoteJid
}

/**
 * @param {any} value
 * @returns {unknown}
 */
function plain (value) {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (typeof value.toNumber === 'function') return value.toNumber()
  if (Array.isArray(value)) return value.map(plain)
  const kept = Object.entries(value).filter(([name, part]) => isPresent(part) && !BULKY.test(name))
  return Object.fromEntries(kept.map(([name, part]) => [name, plain(part)]))
}

/** @param {unknown} value an empty list is how protobuf says that there is none */
function isPresent (value) {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0)
}
