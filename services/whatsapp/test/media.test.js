import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { GUEST, makeWorld } from '../testing/sidecar-world.js'

/** The real sidecar and its phones, over the simulator's media host. One of each: linking is what costs time. */
const endings = /** @type {(() => unknown)[]} */ ([])
const world = await makeWorld({ after: ending => void endings.push(ending) })
const running = await world.sidecar({ WHATSAPP_MEDIA_MAX_MB: '1', WHATSAPP_MEDIA_TIMEOUT_S: '2' })
await world.link(running)
await world.control('POST /guests', { pn: GUEST })
after(async () => {
  for (const ending of endings) await ending()
})

const VOICE = Buffer.concat([Buffer.from('OggS'), randomBytes(30_000)])

/**
 * A guest's file as the sidecar forwarded its message.
 *
 * @param {Buffer} [bytes]
 * @param {object} [more]
 */
async function guestSends (bytes = VOICE, more = {}) {
  const id = await world.guestWrites('', { kind: 'audio', data: bytes.toString('base64'), ...more })
  await world.server.until(() => world.server.messages.some(({ key }) => key.id === id))
  const { tenantId, ...message } = world.server.messages.find(({ key }) => key.id === id)
  return { tenantId, message }
}

/** @param {{ tenantId: string, message: any }} body */
async function fetchMedia (body) {
  const response = await running.request('POST /media', body)
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) }
}

/** @param {{ tenantId: string, message: any }} body @param {number} status @param {object} answer */
async function refuses (body, status, answer) {
  const refused = await fetchMedia(body)
  assert.equal(refused.status, status)
  assert.deepEqual(JSON.parse(refused.bytes.toString()), answer)
}

/** @param {string} id of a message: the statuses that the media host answered with */
async function fetches (id) {
  const { events } = await world.control('GET /events?type=media.fetched')
  return events.filter((/** @type {any} */ event) => event.id === id).map((/** @type {any} */ { status }) => status)
}

/** @param {object} fault */
const fault = fault => world.control('POST /faults', { pn: GUEST, ...fault })

test('a voice note, a picture, a document and a video come back byte by byte, each as what it is', async () => {
  for (const [kind, mimetype, type] of [
    ['audio', 'audio/ogg; codecs=opus', 'audio/ogg'], ['image', 'image/png', 'image/png'],
    ['document', 'application/pdf', 'application/pdf'], ['video', 'video/mp4', 'video/mp4']
  ]) {
    const { status, headers, bytes } = await fetchMedia(await guestSends(VOICE, { kind, mimetype, text: 'look' }))
    assert.equal(status, 200, kind)
    assert.ok(bytes.equals(VOICE), kind)
    assert.equal(headers.get('content-type'), type)
    assert.equal(headers.get('content-length'), String(VOICE.length))
    assert.equal(headers.get('content-disposition'), 'attachment')
    assert.equal(headers.get('x-content-type-options'), 'nosniff')
  }
})

test('a file of any length comes back whole', async () => {
  for (const length of [1, 15, 16, 17, 65_536, 1024 * 1024]) {
    const bytes = randomBytes(length)
    const { status, bytes: got } = await fetchMedia(await guestSends(bytes, { kind: 'document' }))
    assert.deepEqual([status, got.equals(bytes)], [200, true], String(length))
  }
})

test('what a browser could run is not called by its name', async () => {
  const { headers } = await fetchMedia(await guestSends(Buffer.from('<script>'), { kind: 'document', mimetype: 'text/html' }))
  assert.equal(headers.get('content-type'), 'application/octet-stream')
})

test('without the secret nothing is fetched', async () => {
  const body = await guestSends()
  assert.equal((await running.ask('POST /media', body, {})).status, 401)
  assert.deepEqual(await fetches(body.message.key.id), [])
})

test('media that a server no longer has are uploaded again by the phone and come back whole', async () => {
  for (const [mode, refusal] of /** @type {const} */ ([['gone', 410], ['missing', 404], ['expired', 403]])) {
    const body = await guestSends()
    await fault({ kind: 'media', mode })
    const { status, bytes } = await fetchMedia(body)
    assert.deepEqual([status, bytes.equals(VOICE)], [200, true])
    assert.deepEqual(await fetches(body.message.key.id), [refusal, 200])
  }
})

test('media that the phone does not have either, or does not answer for, are gone', { timeout: 10_000 }, async () => {
  for (const mode of ['refuse', 'silent']) {
    const body = await guestSends()
    await fault({ kind: 'media', mode: 'gone' })
    await fault({ kind: 'no-reupload', mode })
    await refuses(body, 410, { error: 'gone', asked: true })
  }
})

test('the phone is asked once', async () => {
  const body = await guestSends()
  await fault({ kind: 'media', mode: 'gone', count: 2 })
  await refuses(body, 410, { error: 'gone', asked: true })
  assert.deepEqual(await fetches(body.message.key.id), [410, 410])
})

test('changed bytes, and another key, are corrupt', async () => {
  const body = await guestSends()
  await fault({ kind: 'media', mode: 'corrupt' })
  await refuses(body, 502, { error: 'corrupt' })
  body.message.message.audioMessage.mediaKey = randomBytes(32).toString('base64')
  await refuses(body, 502, { error: 'corrupt' })
})

test('a file that is not the one that was announced is corrupt', async () => {
  const { tenantId, message } = await guestSends()
  message.message.audioMessage.fileSha256 = createHash('sha256').update('another').digest('base64')
  await refuses({ tenantId, message }, 502, { error: 'corrupt' })
})

test('a connection that breaks off, and a server that fails, are unreachable; the sidecar goes on', async () => {
  for (const mode of ['cut', 'error']) {
    const body = await guestSends()
    await fault({ kind: 'media', mode })
    await refuses(body, 502, { error: 'unreachable' })
    assert.equal((await fetchMedia(body)).status, 200)
  }
})

test('a redirect is not followed', async () => {
  const body = await guestSends()
  await fault({ kind: 'media', mode: 'redirect' })
  await refuses(body, 502, { error: 'unreachable' })
  assert.deepEqual(await fetches(''), [], 'nobody asked for another path')
})

test('a slow server is given up on in time', { timeout: 10_000 }, async () => {
  const body = await guestSends()
  await fault({ kind: 'media-delay', ms: 60_000 })
  await refuses(body, 504, { error: 'too slow' })
})

test('a file over the limit is refused: unseen if it says so, and else while it comes', async () => {
  const body = await guestSends(randomBytes(1024 * 1024 + 1), { kind: 'document' })
  await refuses(body, 413, { error: 'too large', limit: 1024 * 1024 })
  assert.deepEqual(await fetches(body.message.key.id), [])
  body.message.message.documentMessage.fileLength = 7
  await refuses(body, 413, { error: 'too large', limit: 1024 * 1024 })
  assert.equal((await fetches(body.message.key.id)).length, 1)
})

test('an address that is not WhatsApp\'s is refused without a connection', async t => {
  let connections = 0
  const trap = createServer(() => {}).on('connection', () => connections++).listen(0, '127.0.0.1')
  await once(trap, 'listening')
  t.after(() => trap.close())
  const { port } = /** @type {import('node:net').AddressInfo} */ (trap.address())
  const { tenantId, message } = await guestSends()
  const { audioMessage } = message.message
  for (const address of [
    { url: `http://127.0.0.1:${port}/v/a` }, { url: `https://127.0.0.1:${port}/v/a` },
    { url: `http://localhost:${port}/`, directPath: '' }, { directPath: `@127.0.0.1:${port}/v/a` }
  ]) {
    const hostile = { ...message, message: { audioMessage: { ...audioMessage, ...address } } }
    const { status, body } = await running.ask('POST /media', { tenantId, message: hostile })
    assert.deepEqual([status, body.error], [422, 'the address of the media is not one of WhatsApp\'s'])
  }
  assert.equal(connections, 0)
})

test('a message without media says what is missing', async () => {
  const id = await world.guestWrites('Hello')
  await world.server.until(() => world.server.messages.some(({ key }) => key.id === id))
  const { tenantId, ...message } = world.server.messages.find(({ key }) => key.id === id)
  const { status, body } = await running.ask('POST /media', { tenantId, message })
  assert.deepEqual([status, /holds no media/.test(body.error)], [422, true])
})

test('the log has ids, sizes and durations, and neither keys nor addresses', async () => {
  const { tenantId, message } = await guestSends()
  await fetchMedia({ tenantId, message })
  const entry = running.events('media').at(-1)
  assert.deepEqual([entry.messageId, entry.tenantId, entry.outcome, entry.size], [message.key.id, '1', 'fetched', VOICE.length])
  assert.equal(typeof entry.durationMs, 'number')
  const { mediaKey, directPath } = message.message.audioMessage
  assert.equal([mediaKey, directPath.split('?')[0], 'mmg.whatsapp'].some(secret => running.output().includes(secret)), false)
})

test('ten at once all come back', async () => {
  const bodies = await Promise.all(Array.from({ length: 10 }, () => guestSends()))
  const answers = await Promise.all(bodies.map(fetchMedia))
  assert.ok(answers.every(({ status, bytes }) => status === 200 && bytes.equals(VOICE)))
})

test('media of a number that is not connected, and that nobody has any more, are gone without asking', async () => {
  const body = await guestSends()
  await running.call('DELETE /tenants/1')
  await fault({ kind: 'media', mode: 'gone' })
  await refuses(body, 410, { error: 'gone', asked: false })
})
