import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Invalid } from '../src/errors.js'
import { parseMediaMessage } from '../src/media-message.js'

const KEY = Buffer.alloc(32, 1).toString('base64')
const message = (/** @type {object} */ said, key = { remoteJid: '7@lid', id: 'A', fromMe: false }) => ({ key, message: said })

test('each kind of media is opened with keys of its own', () => {
  for (const [kind, type] of [
    ['audioMessage', 'audio'], ['imageMessage', 'image'], ['documentMessage', 'document'], ['videoMessage', 'video'],
    ['stickerMessage', 'sticker'], ['ptvMessage', 'ptv']
  ]) {
    const media = parseMediaMessage(message({ [kind]: { mediaKey: KEY, fileLength: '12' } }))
    assert.deepEqual([media.kind, media.type, media.fileLength], [kind, type, 12])
    assert.ok(media.mediaKey.equals(Buffer.alloc(32, 1)))
  }
})

test('only what a browser does not run keeps its type', () => {
  for (const [mimetype, type] of [
    ['audio/ogg; codecs=opus', 'audio/ogg'], ['IMAGE/JPEG', 'image/jpeg'], ['application/pdf', 'application/pdf'],
    ['text/html', 'application/octet-stream'], ['image/svg+xml', 'application/octet-stream'],
    ['image/png\r\nX-Evil: 1', 'application/octet-stream'], [undefined, 'application/octet-stream']
  ]) assert.equal(parseMediaMessage(message({ documentMessage: { mediaKey: KEY, mimetype } })).mimetype, type)
})

test('a message that cannot be fetched says what it lacks', () => {
  for (const [broken, why] of /** @type {[any, RegExp][]} */ ([
    [undefined, /message\.key/],
    ['words', /message\.key/],
    [{ message: { audioMessage: { mediaKey: KEY } } }, /message\.key/],
    [message({ audioMessage: { mediaKey: KEY } }, /** @type {any} */ ({ id: 'A' })), /message\.key/],
    [message({ conversation: 'Hello' }), /no media/],
    [message({ audioMessage: 'x' }), /no media/],
    [{ key: { remoteJid: '7@lid', id: 'A' } }, /no media/],
    [message({ audioMessage: {} }), /audioMessage\.mediaKey/],
    [message({ audioMessage: { mediaKey: 'c2hvcnQ=' } }), /audioMessage\.mediaKey/]
  ])) {
    assert.throws(() => parseMediaMessage(broken), error => error instanceof Invalid && why.test(error.message))
  }
})
