import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeMessageContent, proto } from 'baileys'
import { chatOf, plainContent } from '../src/message.js'

/** @param {import('baileys').proto.IMessage} content */
const received = content => normalizeMessageContent(proto.Message.decode(proto.Message.encode(content).finish()))

test('text stays as it is', () => {
  assert.deepEqual(plainContent(received({ conversation: 'שלום' })), { conversation: 'שלום' })
})

test('ephemeral and view-once wrappers are taken off', () => {
  const wrapped = { ephemeralMessage: { message: { viewOnceMessage: { message: { imageMessage: { caption: 'see' } } } } } }
  assert.deepEqual(plainContent(received(wrapped)), { imageMessage: { caption: 'see' } })
})

test('the message is plain JSON: bytes in base64, long integers as numbers, previews gone', () => {
  const image = { caption: 'c', fileLength: 70_000, mediaKey: Buffer.from('key'), jpegThumbnail: Buffer.alloc(9000), thumbnailSha256: Buffer.alloc(32) }
  assert.deepEqual(plainContent(received({ imageMessage: image })), {
    imageMessage: { caption: 'c', fileLength: 70_000, mediaKey: 'a2V5' }
  })
})

test('a voice note keeps all that fetching it takes', () => {
  const bytes = Buffer.alloc(32, 7)
  const voice = { url: 'https://mmg.whatsapp.net/v/a?oh=1', directPath: '/v/a?oh=1', mimetype: 'audio/ogg', seconds: 3, ptt: true, fileLength: 9 }
  const sealed = { mediaKey: bytes, fileSha256: bytes, fileEncSha256: bytes }
  const base64 = Object.fromEntries(Object.keys(sealed).map(name => [name, bytes.toString('base64')]))
  assert.deepEqual(plainContent(received({ audioMessage: { ...voice, ...sealed, waveform: Buffer.alloc(64) } })), {
    audioMessage: { ...voice, ...base64 }
  })
})

test('the quoted text comes along', () => {
  const quoting = { extendedTextMessage: { text: 'yes', contextInfo: { stanzaId: 'A', quotedMessage: { conversation: 'Breakfast?' } } } }
  assert.deepEqual(plainContent(received(quoting)), quoting)
})

test('a reaction, a location and a contact are passed on', () => {
  for (const content of [
    { reactionMessage: { key: { id: 'A', fromMe: true, remoteJid: '1@lid' }, text: '❤' } },
    { locationMessage: { degreesLatitude: 32, degreesLongitude: 34 } },
    { contactMessage: { displayName: 'Dan', vcard: 'BEGIN:VCARD' } }
  ]) assert.deepEqual(plainContent(received(content)), content)
})

test('protocol messages and key distribution are nothing a person said', () => {
  for (const content of [
    {},
    { protocolMessage: { type: proto.Message.ProtocolMessage.Type.REVOKE, key: { id: 'A' } } },
    { senderKeyDistributionMessage: { groupId: '1@g.us' } },
    { messageContextInfo: { messageSecret: Buffer.from('x') } }
  ]) assert.equal(plainContent(received(content)), null)
  assert.equal(plainContent(undefined), null)
})

test('text that travels with key distribution is still text', () => {
  const both = { conversation: 'hi', senderKeyDistributionMessage: { groupId: '1@g.us' }, messageContextInfo: {} }
  assert.deepEqual(plainContent(received(both)), { conversation: 'hi' })
})

test('a guest with two addresses has one lane', () => {
  const [lid, pn] = ['7@lid', '972@s.whatsapp.net']
  const key = { fromMe: false, id: 'A' }
  assert.equal(chatOf({ ...key, remoteJid: lid, remoteJidAlt: pn }), lid)
  assert.equal(chatOf({ ...key, remoteJid: pn, remoteJidAlt: lid }), lid)
  assert.equal(chatOf({ ...key, remoteJid: pn }), pn)
})
