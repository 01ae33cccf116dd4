import { normalizeMessageContent, proto } from 'baileys'
import { SimulatorError } from './errors.js'

/**
 * @typedef {{id: string, text?: string, fromMe?: boolean}} Reference a message that is quoted or reacted to
 * @typedef {{kind?: string, text?: string, quoted?: Reference, latitude?: number, longitude?: number,
 *   name?: string, phone?: string, seconds?: number, mimetype?: string, fileName?: string,
 *   media?: import('./media.js').Reference}} Wording media: what was uploaded for it
 * @typedef {{own: string, other: string}} Jids of the author and of whom it is for
 * @typedef {{kind: string, text: string, quotedId?: string}} Reading
 */

/** The kinds for which a file can be uploaded. */
const MEDIA_KINDS = /** @type {const} */ (['audio', 'document', 'image', 'sticker', 'video'])

/**
 * What each kind becomes on the wire. Media that nobody uploaded are only described.
 *
 * @type {Record<string, {type: string, build: (wording: Wording, jids: Jids) => proto.IMessage}>}
 */
const KINDS = {
  text: { type: 'text', build: textMessage },
  extended: { type: 'text', build: ({ text }) => ({ extendedTextMessage: { text } }) },
  ephemeral: {
    type: 'text',
    build: (wording, jids) => ({ ephemeralMessage: { message: textMessage(wording, jids) } })
  },
  image: {
    type: 'media',
    build: ({ text, mimetype = 'image/jpeg', media = described('image') }) =>
      ({ imageMessage: { caption: text, mimetype, ...media } })
  },
  sticker: {
    type: 'media',
    build: ({ mimetype = 'image/webp', media = described('sticker') }) => ({ stickerMessage: { mimetype, ...media } })
  },
  audio: {
    type: 'media',
    build: ({ seconds = 3, mimetype = 'audio/ogg; codecs=opus', media = described('audio') }) =>
      ({ audioMessage: { ptt: true, seconds, mimetype, ...media } })
  },
  document: {
    type: 'media',
    build: ({ text, fileName = 'document.pdf', mimetype = 'application/pdf', media = described('document') }) =>
      documentMessage({ fileName, title: fileName, mimetype, ...media }, text)
  },
  video: {
    type: 'media',
    build: ({ text, seconds = 3, mimetype = 'video/mp4', media = described('video') }) =>
      ({ videoMessage: { caption: text, seconds, mimetype, ...media } })
  },
  location: {
    type: 'media',
    build: ({ latitude: degreesLatitude = 32.0853, longitude: degreesLongitude = 34.7818, name }) =>
      ({ locationMessage: { degreesLatitude, degreesLongitude, name } })
  },
  contact: { type: 'media', build: ({ name = 'Somebody', phone = '' }) => ({ contactMessage: contactCard(name, phone) }) },
  reaction: { type: 'reaction', build: reactionMessage }
}

/**
 * @param {Wording} wording
 * @param {Jids} jids
 * @returns {{message: proto.IMessage, type: string}} and the stanza's type
 * @throws {SimulatorError} 422
 */
export function compose (wording, jids) {
  const kind = KINDS[wording.kind ?? 'text']
  if (!kind) throw new SimulatorError(422, `kind is one of ${Object.keys(KINDS).join(', ')}`)
  const needsText = ['text', 'extended', 'ephemeral', 'reaction'].includes(wording.kind ?? 'text')
  if (needsText && typeof wording.text !== 'string') throw new SimulatorError(422, 'text is missing')
  if (wording.kind === 'reaction' && !wording.quoted?.id) throw new SimulatorError(422, 'a reaction needs quoted: {id}')
  const message = kind.build(wording, jids)
  checkFields(message)
  return { message, type: kind.type }
}

/**
 * @param {string | undefined} kind
 * @returns {import('baileys').MediaType} whose keys a file of this kind is sealed with
 * @throws {SimulatorError} 422
 */
export function mediaTypeOf (kind) {
  const found = MEDIA_KINDS.find(one => one === kind)
  if (!found) throw new SimulatorError(422, `data goes with kind ${MEDIA_KINDS.join(', ')}`)
  return found
}

/** The encoder is the judge of types. @param {proto.IMessage} message @throws {SimulatorError} 422 */
function checkFields (message) {
  try {
    proto.Message.encode(message).finish()
  } catch (error) {
    throw new SimulatorError(422, `a field has a wrong type: ${error instanceof Error ? error.message : error}`)
  }
}

/** @param {proto.IMessage} message @returns {Reading} */
export function read (message) {
  const content = normalizeMessageContent(message) ?? {}
  const { conversation, extendedTextMessage: extended, reactionMessage: reaction, imageMessage: image } = content
  const quotedId = extended?.contextInfo?.stanzaId
  if (typeof conversation === 'string' && conversation) return { kind: 'text', text: conversation }
  if (extended) return { kind: 'text', text: extended.text ?? '', ...(quotedId && { quotedId }) }
  if (reaction) return { kind: 'reaction', text: reaction.text ?? '', quotedId: reaction.key?.id ?? '' }
  if (image) return { kind: 'image', text: image.caption ?? '' }
  const field = Object.keys(content).find(key => content[/** @type {keyof proto.IMessage} */ (key)]) ?? 'nothing'
  return { kind: field.replace(/Message$/, ''), text: '' }
}

/** @param {proto.IMessage} message @returns {Buffer} padded as WhatsApp pads: 1 to 16 bytes that tell their number */
export function encode (message, padding = 1) {
  return Buffer.concat([proto.Message.encode(message).finish(), Buffer.alloc(padding, padding)])
}

/** @param {Uint8Array} plaintext @returns {proto.Message} @throws if it is no padded message */
export function decode (plaintext) {
  const padding = plaintext.at(-1) ?? 0
  if (padding < 1 || padding > 16 || padding > plaintext.length) throw new Error('message with wrong padding')
  return proto.Message.decode(plaintext.subarray(0, plaintext.length - padding))
}

/** @param {Wording} wording @param {Jids} jids @returns {proto.IMessage} */
function textMessage ({ text, quoted }, jids) {
  if (!quoted) return { conversation: text }
  const contextInfo = {
    stanzaId: quoted.id,
    participant: quoted.fromMe ? jids.own : jids.other,
    quotedMessage: { conversation: quoted.text ?? '' }
  }
  return { extendedTextMessage: { text, contextInfo } }
}

/** @param {Wording} wording @param {Jids} jids @returns {proto.IMessage} */
function reactionMessage ({ text, quoted }, jids) {
  const key = { id: quoted?.id, fromMe: Boolean(quoted?.fromMe), remoteJid: jids.other }
  return { reactionMessage: { key, text, senderTimestampMs: Date.now() } }
}

/**
 * With a caption it comes in a wrapper of its own, as from today's phones.
 *
 * @param {proto.Message.IDocumentMessage} document @param {string | undefined} caption @returns {proto.IMessage}
 */
function documentMessage (document, caption) {
  if (!caption) return { documentMessage: document }
  return { documentWithCaptionMessage: { message: { documentMessage: { ...document, caption } } } }
}

/** @param {string} name @param {string} phone */
function contactCard (name, phone) {
  const vcard = `BEGIN:VCARD\nVERSION:3.0\nFN:${name}\nTEL;type=CELL;waid=${phone}:+${phone}\nEND:VCARD`
  return { displayName: name, vcard }
}

/** @param {string} what */
function described (what) {
  const filler = Buffer.alloc(32, what)
  return { mediaKey: filler, fileSha256: filler, fileEncSha256: filler, fileLength: 1024, directPath: `/v/${what}`, url: `https://mmg.whatsapp.net/v/${what}` }
}
