import { isPerson } from './baileys.js'
import { Invalid } from './errors.js'
import { LONGEST_MESSAGE_ID } from './ledger.js'
import { parseMediaMessage } from './media-message.js'

/**
 * What callers may ask for, checked field by field.
 *
 * @typedef {import('./outbox.js').SendRequest} SendRequest
 * @typedef {import('./presence.js').Typing} Typing
 * @typedef {import('./forgetting.js').Guest} Guest
 */

/** WhatsApp's own limit. */
const LONGEST_TEXT = 65_536
const TENANT_ID = /^[A-Za-z0-9_-]{1,64}$/
const MESSAGE_ID = new RegExp(`^[A-Za-z0-9._:-]{1,${LONGEST_MESSAGE_ID}}$`)
const PHONE = /^\+?([1-9]\d{6,14})$/
/** More than one person has, whatever was sent to them. */
const MOST_NAMED = 10_000
/** As the server has it from wherever; what no chat of ours is called names nobody. */
const JID = /^[^@\s]{1,96}@[a-z.]{1,32}$/
const TYPING = ['composing', 'paused', 'recording']

/**
 * @param {unknown} value
 * @returns {string}
 */
export function parseTenantId (value) {
  if (typeof value === 'string' && TENANT_ID.test(value)) return value
  throw new Invalid('tenantId must be 1 to 64 of A-Z a-z 0-9 _ -')
}

/**
 * @param {any} body
 * @returns {SendRequest & { tenantId: string }}
 */
export function parseSend (body) {
  return {
    tenantId: parseTenantId(body.tenantId),
    to: parseRecipient(body.to),
    text: parseText(body.text, 'text'),
    ...(isGiven(body.messageId) && { messageId: parseMessageId(body.messageId, 'messageId') }),
    ...(isGiven(body.quoted) && { quoted: parseQuoted(body.quoted) })
  }
}

/**
 * @param {any} body
 * @returns {{ tenantId: string, to: string, state: Typing }}
 */
export function parseTyping (body) {
  if (!TYPING.includes(body.state)) throw new Invalid(`state must be one of ${TYPING.join(', ')}`)
  return { tenantId: parseTenantId(body.tenantId), to: parseRecipient(body.to), state: body.state }
}

/**
 * @param {any} body
 * @returns {{ tenantId: string, media: import('./media-message.js').MediaMessage }}
 */
export function parseMedia (body) {
  return { tenantId: parseTenantId(body.tenantId), media: parseMediaMessage(body.message) }
}

/**
 * @param {any} body
 * @returns {string | undefined} digits
 */
export function parsePhone ({ phone }) {
  if (!isGiven(phone)) return undefined
  const digits = PHONE.exec(typeof phone === 'string' ? phone.replace(/[\s()-]/g, '') : '')
  if (digits) return digits[1]
  throw new Invalid('phone must be a number with its country code, like +972501234567')
}

/**
 * @param {any} body
 * @returns {Guest}
 */
export function parseGuest ({ addresses = [], messageIds = [] }) {
  if (!isListOf(addresses, jid => JID.test(jid))) throw new Invalid('addresses must be a list of JIDs')
  if (!isListOf(messageIds, id => id.length <= LONGEST_MESSAGE_ID)) throw new Invalid('messageIds must be a list of ids of messages')
  return { addresses, messageIds }
}

/**
 * @param {unknown} value
 * @param {(text: string) => boolean} isRight
 */
function isListOf (value, isRight) {
  return Array.isArray(value) && value.length <= MOST_NAMED && value.every(item => typeof item === 'string' && isRight(item))
}

/** @param {unknown} value */
function parseRecipient (value) {
  if (typeof value === 'string' && isPerson(value)) return value
  throw new Invalid('to must be the JID of one person: digits@lid or digits@s.whatsapp.net')
}

/**
 * @param {unknown} value
 * @param {string} field
 */
function parseText (value, field) {
  if (typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT) return value
  throw new Invalid(`${field} must be text of 1 to ${LONGEST_TEXT} characters`)
}

/**
 * @param {unknown} value
 * @param {string} field
 */
function parseMessageId (value, field) {
  if (typeof value === 'string' && MESSAGE_ID.test(value)) return value
  throw new Invalid(`${field} must be 1 to ${LONGEST_MESSAGE_ID} of A-Z a-z 0-9 . _ : -`)
}

/** @param {any} quoted */
function parseQuoted (quoted) {
  if (typeof quoted !== 'object') throw new Invalid('quoted must be an object with id and text')
  // The guest's phone chose the id, so nearly anything goes.
  if (typeof quoted.id !== 'string' || quoted.id === '' || quoted.id.length > 512) {
    throw new Invalid('quoted.id must be the id of a message')
  }
  return { id: quoted.id, text: parseText(quoted.text, 'quoted.text'), fromMe: quoted.fromMe === true }
}

/** @param {unknown} value */
function isGiven (value) {
  return value !== undefined && value !== null
}
