import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { makeServerClient } from '../src/server-client.js'
import { startFakeServer } from '../testing/fake-server.js'

/** @param {import('node:test').TestContext} t @param {import('node:http').RequestListener} listener */
async function serving (t, listener) {
  const server = createServer(listener)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  return { server, url: `http://127.0.0.1:${port}` }
}

/** @param {import('node:test').TestContext} t @param {{ url: string, timeoutMs?: number }} options */
function clientOf (t, options) {
  const client = makeServerClient({ secret: 's', ...options })
  t.after(() => client.close())
  return client
}

test('posts one after another share one connection', async t => {
  const server = await startFakeServer({ secret: 's' })
  t.after(() => server.close())
  const { post } = clientOf(t, { url: server.url })
  for (let n = 0; n < 10; n++) assert.equal((await post('/webhook/whatsapp/status', {})).status, 200)
  assert.equal(server.connections(), 1)
})

test('a connection that the server closed while it was idle costs nothing', async t => {
  let posts = 0
  const { url } = await serving(t, (request, response) => {
    posts += 1
    // Drop the second request on a kept connection unanswered, as a server does
    // that was just closing it.
    if (posts === 2) return request.socket.resetAndDestroy()
    response.end('{}')
  })
  const { post } = clientOf(t, { url })
  for (let n = 0; n < 3; n++) assert.equal((await post('/', {})).status, 200)
})

test('a server that does not answer is given up after the time limit, headers sent or not', async t => {
  for (const begin of [false, true]) {
    const { url } = await serving(t, (_request, response) => {
      if (begin) response.write('{')
    })
    const { post } = clientOf(t, { url, timeoutMs: 100 })
    await assert.rejects(post('/', {}))
  }
})

test('a server that is not there is told at once', async t => {
  const { server, url } = await serving(t, () => {})
  server.close()
  await once(server, 'close')
  await assert.rejects(clientOf(t, { url }).post('/', {}), error =>
    /** @type {NodeJS.ErrnoException} */ (error).code === 'ECONNREFUSED')
})

test('an answer that is not JSON has no body', async t => {
  const { url } = await serving(t, (_request, response) => response.end('<html>'))
  assert.deepEqual(await clientOf(t, { url }).post('/', {}), { status: 200, body: undefined })
})
