import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Conflict, Corrupt, Gone, NotConnected, Refused, TooFast, TooSlow } from '../src/errors.js'
import { makeServer } from '../src/routes.js'
import { secretCheck } from '../src/secret.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

/**
 * The HTTP interface over parts that answer as told.
 *
 * @param {import('node:test').TestContext} t
 * @param {any} [parts]
 */
async function arrange (t, parts = {}) {
  /** @type {any[]} */
  const asked = []
  const server = makeServer({
    isSecret: secretCheck('s'),
    outbox: {
      send: async (/** @type {string} */ tenantId, /** @type {any} */ request) => {
        asked.push({ tenantId, ...request })
        if (parts.error) throw parts.error
        return { messageId: 'M', status: 'sent', durationMs: 1 }
      },
      lastAckAt: () => 7,
      ...parts.outbox
    },
    presence: /** @type {any} */ ({ show: (/** @type {any[]} */ ...args) => asked.push(args) }),
    media: {
      fetch: async () => {
        if (parts.error) throw parts.error
        return { pieces: [Buffer.from('voi'), Buffer.from('ce')], size: 5, mimetype: 'audio/ogg' }
      }
    },
    tenants: /** @type {any} */ ({
      health: () => parts.health ?? [],
      look: (/** @type {string} */ tenantId) => ({ tenantId, state: 'disconnected' }),
      connect: () => 'connecting',
      check: () => {},
      hold: async () => {},
      logOut: async () => {}
    }),
    forgetting: {
      forget: async (tenantId, guest) => {
        asked.push({ tenantId, ...guest })
        if (parts.error) throw parts.error
      }
    },
    banRiskOf: () => 0.25,
    journal: { counts: () => ({ waiting: 0, setAside: 0 }) },
    logger: makeQuietLogger().logger
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())

  /** @param {string} line @param {unknown} [body] @param {Record<string, string>} [headers] */
  async function ask (line, body, headers = { 'x-internal-secret': 's' }) {
    const [method, path] = line.split(' ')
    const bytes = typeof body === 'string' || body === undefined ? body : JSON.stringify(body)
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, headers, body: bytes })
    const text = await response.text()
    const retryAfter = response.headers.get('retry-after')
    return { status: response.status, body: text ? JSON.parse(text) : undefined, ...(retryAfter && { retryAfter }) }
  }
  return { ask, asked }
}

const SEND = { tenantId: '1', to: '7@lid', text: 'Hello' }

test('every call but /health needs the secret', async t => {
  const { ask, asked } = await arrange(t)
  const calls = ['POST /send', 'POST /sendTyping', 'POST /media', 'POST /tenants/1/connect', 'POST /tenants/1/forget', 'GET /tenants/1', 'DELETE /tenants/1', 'GET /anything']
  for (const line of calls) {
    for (const headers of /** @type {Record<string, string>[]} */ ([{}, { 'x-internal-secret': 'wrong' }])) assert.equal((await ask(line, undefined, headers)).status, 401, line)
  }
  assert.deepEqual(asked, [])
  assert.equal((await ask('GET /health', undefined, {})).status, 200)
})

test('a send is answered with what became of it', async t => {
  const { ask, asked } = await arrange(t)
  assert.deepEqual(await ask('POST /send', SEND), { status: 200, body: { messageId: 'M', status: 'sent', durationMs: 1 } })
  assert.deepEqual(asked, [SEND])
})

test('an outcome of the outbox is an HTTP status', async t => {
  for (const [error, answer] of /** @type {[Error, any][]} */ ([
    [new Refused(463), { status: 502, body: { error: 'refused', code: 463 } }],
    [new NotConnected(), { status: 503, body: { error: 'not connected' } }]
  ])) {
    const { ask } = await arrange(t, { error })
    assert.deepEqual(await ask('POST /send', SEND), answer)
  }
})

test('an unforeseen failure tells nothing of itself', async t => {
  const { ask } = await arrange(t, { error: new Error('secret detail') })
  const { status, body } = await ask('POST /send', SEND)
  assert.equal(status, 500)
  assert.doesNotMatch(JSON.stringify(body), /secret detail/)
})

test('a broken body is 400, a wrong field 422 and named, a large body 413, a strange path 404', async t => {
  const { ask } = await arrange(t)
  assert.equal((await ask('POST /send', '{')).status, 400)
  assert.equal((await ask('POST /send', '[]')).status, 400)
  const wrong = await ask('POST /send', { ...SEND, to: '1@g.us' })
  assert.equal(wrong.status, 422)
  assert.match(wrong.body.error, /^to /)
  assert.equal((await ask('POST /send', { ...SEND, text: 'x'.repeat(300_000) })).status, 413)
  assert.equal((await ask('GET /send')).status, 404)
  assert.equal((await ask('GET /tenants/a%2Fb')).status, 422)
})

const VOICE = { key: { remoteJid: '7@lid', id: 'A' }, message: { audioMessage: { mediaKey: Buffer.alloc(32).toString('base64') } } }

test('media that cannot be had are an HTTP status that says why', async t => {
  for (const [error, status, body] of /** @type {[Error, number, object][]} */ ([
    [new Gone(false), 410, { error: 'gone', asked: false }],
    [new Corrupt(), 502, { error: 'corrupt' }],
    [new TooSlow(), 504, { error: 'too slow' }]
  ])) {
    const { ask } = await arrange(t, { error })
    assert.deepEqual(await ask('POST /media', { tenantId: '1', message: VOICE }), { status, body })
  }
})

test('a guest is forgotten by addresses and by what was sent of them', async t => {
  const { ask, asked } = await arrange(t)
  const guest = { addresses: ['7@lid', '972500000002@s.whatsapp.net'], messageIds: ['N1'] }
  assert.deepEqual(await ask('POST /tenants/1/forget', guest), { status: 204, body: undefined })
  assert.deepEqual(asked, [{ tenantId: '1', ...guest }])
  for (const wrong of [{ addresses: '7@lid' }, { addresses: ['7'] }, { addresses: [''] }, { messageIds: [7] }]) {
    const { status, body } = await ask('POST /tenants/1/forget', wrong)
    assert.equal(status, 422)
    assert.match(body.error, new RegExp(`^${Object.keys(wrong)[0]} `))
  }
})

test('a guest at whose messages we are is not forgotten', async t => {
  const { ask } = await arrange(t, { error: new Conflict('not yet') })
  assert.deepEqual(await ask('POST /tenants/1/forget', {}), { status: 409, body: { error: 'not yet' } })
})

test('typing is answered at once', async t => {
  const { ask, asked } = await arrange(t)
  assert.equal((await ask('POST /sendTyping', { tenantId: '1', to: '7@lid', state: 'composing' })).status, 202)
  assert.deepEqual(asked, [['1', '7@lid', 'composing']])
})

test('health is 503 only when a linked number is deaf', async t => {
  const number = { tenantId: '1', lastInboundAt: null, probeOk: true }
  const well = await arrange(t, { health: [{ ...number, state: 'open' }, { ...number, state: 'qr' }] })
  const { status, body } = await well.ask('GET /health')
  assert.deepEqual([status, body.status], [200, 'ok'])
  assert.deepEqual(body.tenants[0], { ...number, state: 'open', lastAckAt: 7, banRisk: 0.25 })
  assert.deepEqual(body.journal, { waiting: 0, setAside: 0 })
  const deaf = await arrange(t, { health: [{ ...number, state: 'deaf' }] })
  assert.equal((await deaf.ask('GET /health')).status, 503)
})

test('a send beyond the pace says when to come back', async t => {
  const { ask } = await arrange(t, { error: new TooFast(4) })
  const { status, retryAfter, body } = await ask('POST /send', SEND)
  assert.deepEqual([status, retryAfter, body.retryAfterS], [503, '4', 4])
})
