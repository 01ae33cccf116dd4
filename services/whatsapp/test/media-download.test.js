import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { Oversized, Unreachable } from '../src/errors.js'
import { Missing, makeDownloader } from '../src/media-download.js'

const NEVER = new AbortController().signal

/**
 * A media host that answers as told.
 *
 * @param {import('node:test').TestContext} t
 * @param {import('node:http').RequestListener} answer
 */
async function host (t, answer) {
  const server = createServer(answer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const origin = `http://127.0.0.1:${port}`
  const left = new Promise(resolve => {
    server.on('request', (request, response) => response.on('close', resolve))
  })
  const downloader = makeDownloader({ origin })
  t.after(() => {
    downloader.close()
    server.close()
    server.closeAllConnections()
  })

  /** @param {number} [mostBytes] @param {AbortSignal} [signal] */
  async function get (mostBytes = 100, signal = NEVER) {
    const pieces = []
    for await (const piece of downloader.download(new URL('/v/a', origin), { mostBytes, signal })) pieces.push(piece)
    return Buffer.concat(pieces).toString()
  }
  return { get, port, server, left }
}

test('the bytes come as they are', async t => {
  const { get } = await host(t, (request, response) => response.end(`${request.method} ${request.url}`))
  assert.equal(await get(), 'GET /v/a')
})

test('a host that does not say how much comes is cut off at the limit', async t => {
  const { get, left } = await host(t, (request, response) => {
    const more = () => response.write('x'.repeat(60), more)
    more()
  })
  await assert.rejects(get(100), Oversized)
  await left
})

test('a host that says that too much comes is not read', async t => {
  const { get } = await host(t, (request, response) => response.writeHead(200, { 'content-length': 101 }).write('x'))
  await assert.rejects(get(100), Oversized)
})

test('exactly as much as is allowed is taken', async t => {
  const { get } = await host(t, (request, response) => response.end('x'.repeat(100)))
  assert.equal((await get(100)).length, 100)
})

test('403, 404 and 410 mean that it is not there, any other status that it cannot be had', async t => {
  let status = 0
  const { get } = await host(t, (request, response) => response.writeHead(status, { location: '/elsewhere' }).end('words'))
  for (status of [403, 404, 410]) await assert.rejects(get(), Missing)
  for (status of [204, 206, 302, 401, 500]) await assert.rejects(get(), Unreachable, String(status))
})

test('a host that says nothing, and one that stops in the middle, are left when the caller gives up', async t => {
  for (const begin of [() => {}, (/** @type {import('node:http').ServerResponse} */ response) => response.write('x')]) {
    const giveUp = new AbortController()
    const { get, left } = await host(t, (request, response) => {
      begin(response)
      setImmediate(() => giveUp.abort())
    })
    await assert.rejects(get(100, giveUp.signal), Unreachable)
    await left
  }
})

test('a connection that the host closes while it is taken up again is no failure', async t => {
  const used = new Set()
  const { get } = await host(t, (request, response) => {
    if (used.has(request.socket)) return void request.socket.resetAndDestroy()
    used.add(request.socket)
    response.end('x')
  })
  for (let time = 0; time < 3; time++) assert.equal(await get(), 'x')
  assert.equal(used.size, 3)
})

test('a host that breaks off in the middle is unreachable', async t => {
  const { get } = await host(t, (request, response) => {
    response.writeHead(200, { 'content-length': 50 })
    response.write('x'.repeat(10), () => response.destroy())
  })
  await assert.rejects(get(), Unreachable)
})

test('without an origin of the operator\'s nothing inside the network is connected to', async t => {
  let connections = 0
  const { port, server } = await host(t, () => {})
  server.on('connection', () => connections++)
  const downloader = makeDownloader({ origin: undefined })
  t.after(downloader.close)
  const pieces = downloader.download(new URL(`https://localhost:${port}/`), { mostBytes: 100, signal: NEVER })
  await assert.rejects(pieces.next(), Unreachable)
  assert.equal(connections, 0)
})
