import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { downloadContentFromMessage } from 'baileys'
import { makeBench } from '../testing/bench.js'

const bench = await makeBench()
const HOST = '390640000001'
const GUEST = '972540000001'
const { mediaUrl } = bench.simulator
const { client } = await bench.linkedHost(HOST)
await bench.call('/guests', { pn: GUEST })

const FILE = randomBytes(5000)

/** @param {object} [more] @returns {Promise<any>} the message as a stock client got it */
async function sent (more = {}) {
  const { id, status, error } = await bench.call(`/guests/${GUEST}/send`, {
    to: HOST, kind: 'audio', data: FILE.toString('base64'), ...more
  })
  assert.equal(status, 202, error)
  return client.message(({ key, message }) => key.id === id && Boolean(message))
}

/** @param {string} path */
const get = path => fetch(mediaUrl + path, { redirect: 'manual' })

/** @param {object} fault */
const fault = fault => bench.call('/faults', { pn: GUEST, ...fault })

test('a stock client opens what a phone has uploaded', async () => {
  for (const type of /** @type {const} */ (['audio', 'image', 'document', 'video', 'sticker'])) {
    const { message } = await sent({ kind: type })
    const { directPath, ...media } = message[`${type}Message`]
    assert.equal(media.url, `https://mmg.whatsapp.net${directPath}`)
    const pieces = await downloadContentFromMessage({ ...media, url: mediaUrl + directPath }, type)
    assert.ok(Buffer.concat(await pieces.toArray()).equals(FILE), type)
  }
})

test('a document has its name, and with a caption a wrapper', async () => {
  const { message } = await sent({ kind: 'document', fileName: 'menu.pdf', mimetype: 'application/pdf' })
  assert.deepEqual([message.documentMessage.fileName, message.documentMessage.mimetype], ['menu.pdf', 'application/pdf'])
  const { documentMessage } = (await sent({ kind: 'document', text: 'our menu' })).message.documentWithCaptionMessage.message
  assert.equal(documentMessage.caption, 'our menu')
})

test('a path without its token, with another one, or that nobody uploaded, is not there', async () => {
  const { directPath } = (await sent()).message.audioMessage
  assert.equal((await get(directPath)).status, 200)
  for (const path of [directPath.split('?')[0], directPath.replace(/oh=./, 'oh=!'), '/v/t62.7117-24/x', '/']) {
    assert.equal((await get(path)).status, 404, path)
  }
  assert.equal((await fetch(mediaUrl + directPath, { method: 'POST' })).status, 404)
})

test('what is withdrawn stays so, and comes back under another path when the phone is asked', async () => {
  const sentMessage = await sent()
  const { directPath } = sentMessage.message.audioMessage
  await fault({ kind: 'media', mode: 'gone' })
  for (let time = 0; time < 2; time++) assert.equal((await get(directPath)).status, 410)
  const { message } = await client.socket?.updateMediaMessage(sentMessage) ?? {}
  const renewed = message?.audioMessage?.directPath ?? ''
  assert.notEqual(renewed, directPath)
  assert.equal((await get(renewed)).status, 200)
})

test('a phone that is told to has nothing to upload', async () => {
  await fault({ kind: 'no-reupload', mode: 'refuse' })
  const updating = Promise.resolve(client.socket?.updateMediaMessage(await sent()))
  await assert.rejects(updating, /Failed to re-upload media/)
})

test('the media host fails as it is told', async () => {
  const { directPath } = (await sent()).message.audioMessage
  for (const [mode, status] of [['error', 503], ['redirect', 302], ['corrupt', 200]]) {
    await fault({ kind: 'media', mode })
    assert.equal((await get(directPath)).status, status, String(mode))
  }
  await fault({ kind: 'media', mode: 'cut' })
  await assert.rejects((await get(directPath)).arrayBuffer())
  await fault({ kind: 'media', mode: 'missing' })
  assert.equal((await get(directPath)).status, 404)
  const { events } = await bench.call(`/events?type=media.fetched&pn=${GUEST}`)
  assert.deepEqual(events.slice(-5).map((/** @type {any} */ { status }) => status), [503, 302, 200, 200, 404])
})

test('a file that is no file, or goes with no kind, is refused', async () => {
  for (const [wish, why] of /** @type {[object, RegExp][]} */ ([
    [{ kind: 'text', text: 'x', data: 'AAAA' }, /data goes with kind audio/],
    [{ kind: 'audio', data: '' }, /data is a file in base64/],
    [{ kind: 'audio', data: 7 }, /data is a file in base64/]
  ])) {
    const { status, error } = await bench.call(`/guests/${GUEST}/send`, { to: HOST, ...wish })
    assert.equal(status, 422)
    assert.match(error, why)
  }
  assert.equal((await fault({ kind: 'media', mode: 'dance' })).status, 422)
})
