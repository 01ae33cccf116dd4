import { Invalid } from './errors.js'

/**
 * The media in a message, as it was forwarded and now comes back. All of it was chosen by a guest.
 *
 * @typedef {{ remoteJid: string, fromMe: boolean, id: string }} Key
 * @typedef {object} MediaMessage
 * @property {Key} key
 * @property {string} kind the field of the message that holds it, `audioMessage`
 * @property {import('./baileys.js').MediaType} type whose keys it was sealed with
 * @property {Record<string, unknown>} content
 * @property {Buffer} mediaKey 32 bytes
 * @property {Buffer | undefined} fileSha256 of the file
 * @property {Buffer | undefined} fileEncSha256 of what was uploaded
 * @property {number} fileLength in bytes, as the sender claims; 0: unknown
 * @property {string} mimetype one of `HARMLESS`, or `application/octet-stream`
 */

/** @type {Record<string, import('./baileys.js').MediaType>} */
const TYPES = {
  audioMessage: 'audio',
  imageMessage: 'image',
  documentMessage: 'document',
  videoMessage: 'video',
  ptvMessage: 'ptv',
  stickerMessage: 'sticker'
}

/** What a browser shows or plays without running anything of it. */
const HARMLESS = [
  'audio/ogg', 'audio/mpeg', 'audio/mp4', 'audio/aac', 'audio/amr',
  'image/jpeg', 'image/png', 'image/webp', 'image/gif',
  'video/mp4', 'video/3gpp', 'application/pdf', 'text/plain'
]
const ANYTHING = 'application/octet-stream'

/**
 * @param {any} message a WAMessage in JSON, bytes as base64
 * @returns {MediaMessage}
 * @throws {Invalid}
 */
export function parseMediaMessage (message) {
  const key = parseKey(message?.key)
  const said = message.message
  const kind = Object.keys(TYPES).find(name => isObject(said) && isObject(said[name]))
  if (!kind) throw new Invalid(`message.message holds no media: one of ${Object.keys(TYPES).join(', ')}`)
  const content = said[kind]
  const mediaKey = bytesOf(content.mediaKey)
  if (!mediaKey) throw new Invalid(`${kind}.mediaKey must be 32 bytes in base64`)
  return {
    key,
    kind,
    type: TYPES[kind],
    content,
    mediaKey,
    fileSha256: bytesOf(content.fileSha256),
    fileEncSha256: bytesOf(content.fileEncSha256),
    fileLength: Number(content.fileLength) || 0,
    mimetype: harmless(content.mimetype)
  }
}

/**
 * @param {any} key
 * @returns {Key}
 */
function parseKey (key) {
  if (isObject(key) && [key.id, key.remoteJid].every(part => typeof part === 'string' && part !== '')) {
    return { remoteJid: key.remoteJid, fromMe: key.fromMe === true, id: key.id }
  }
  throw new Invalid('message.key must hold remoteJid and id')
}

/** @param {unknown} base64 of a key or a hash */
function bytesOf (base64) {
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : Buffer.alloc(0)
  return bytes.length === 32 ? bytes : undefined
}

/** @param {unknown} mimetype perhaps with parameters, `audio/ogg; codecs=opus` */
function harmless (mimetype) {
  const name = String(mimetype ?? '').split(';')[0].trim().toLowerCase()
  return HARMLESS.includes(name) ? name : ANYTHING
}

/**
 * @param {unknown} value
 * @returns {value is Record<string, any>}
 */
function isObject (value) {
  return typeof value === 'object' && value !== null
}
