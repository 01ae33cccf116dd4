import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Malformed, NotFound, SidecarError, TooFast, TooLarge, Unauthorized } from './errors.js'
import { parseGuest, parseMedia, parsePhone, parseSend, parseTenantId, parseTyping } from './requests.js'

/**
 * The sidecar's HTTP interface (design, section 3). Errors rise to one place.
 *
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 * @typedef {{ status: number, body?: unknown, file?: import('./media.js').File }} Answer
 * @typedef {(request: { body: any, tenantId: string }) => Answer | Promise<Answer>} Handler
 */

const MOST_BYTES = 256 * 1024
/** How long the one who asked for a file may pause in taking it. */
const HAND_WITHIN_MS = 15_000
const TENANT_PATH = /^\/tenants\/([^/]+)(\/connect|\/forget)?$/

/**
 * @param {object} deps
 * @param {(offered: string | string[] | undefined) => boolean} deps.isSecret
 * @param {ReturnType<typeof import('./outbox.js').makeOutbox>} deps.outbox
 * @param {ReturnType<typeof import('./presence.js').makePresence>} deps.presence
 * @param {import('./tenants.js').Tenants} deps.tenants
 * @param {Pick<ReturnType<typeof import('./media.js').makeMedia>, 'fetch'>} deps.media
 * @param {ReturnType<typeof import('./forgetting.js').makeForgetting>} deps.forgetting
 * @param {(tenantId: string) => number} deps.banRiskOf 0 to 1
 * @param {Pick<import('./journal.js').Journal, 'counts'>} deps.journal
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeServer ({ isSecret, outbox, presence, media, tenants, forgetting, banRiskOf, journal, logger }) {
  /** @type {Record<string, Handler>} */
  const handlers = {
    'POST /send': async ({ body }) => {
      const { tenantId, ...request } = parseSend(body)
      tenants.check(tenantId)
      return { status: 200, body: await outbox.send(tenantId, request) }
    },
    'POST /sendTyping': ({ body }) => {
      const { tenantId, to, state } = parseTyping(body)
      tenants.check(tenantId)
      presence.show(tenantId, to, state)
      return { status: 202, body: { state } }
    },
    'POST /media': async ({ body }) => {
      const { tenantId, media: wanted } = parseMedia(body)
      tenants.check(tenantId)
      return { status: 200, file: await media.fetch(tenantId, wanted) }
    },
    'POST /tenants/:id/connect': async ({ body, tenantId }) =>
      ({ status: 202, body: { state: await tenants.connect(tenantId, parsePhone(body)) } }),
    'POST /tenants/:id/forget': async ({ body, tenantId }) => {
      const guest = parseGuest(body)
      await tenants.hold(tenantId)
      await forgetting.forget(tenantId, guest)
      return { status: 204 }
    },
    'GET /tenants/:id': async ({ tenantId }) => ({ status: 200, body: await tenants.look(tenantId) }),
    'DELETE /tenants/:id': async ({ tenantId }) => {
      await tenants.logOut(tenantId)
      return { status: 204 }
    }
  }

  /**
   * @param {IncomingMessage} request
   * @returns {Promise<Answer>}
   */
  async function answer (request) {
    const path = (request.url ?? '').split('?')[0]
    if (request.method === 'GET' && path === '/health') return health()
    if (!isSecret(request.headers['x-internal-secret'])) throw new Unauthorized()
    const [, tenant, action] = TENANT_PATH.exec(path) ?? []
    const handler = handlers[`${request.method} ${tenant ? `/tenants/:id${action ?? ''}` : path}`]
    if (!handler) throw new NotFound(`there is no ${request.method} ${tenant ? '/tenants/:id' : path}`)
    return handler({
      tenantId: tenant ? parseTenantId(tenant) : '',
      body: request.method === 'POST' ? await readBody(request) : {}
    })
  }

  /** @returns {Answer} */
  function health () {
    const numbers = tenants.health().map(number => ({
      ...number,
      lastAckAt: outbox.lastAckAt(number.tenantId),
      banRisk: banRiskOf(number.tenantId)
    }))
    const deaf = numbers.some(({ state }) => state === 'deaf')
    return {
      status: deaf ? 503 : 200,
      body: { status: deaf ? 'deaf' : 'ok', tenants: numbers, journal: journal.counts() }
    }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, body, file }) => file ? hand(response, file) : respond(response, status, body),
      error => fail(response, error, logger))
  })
  // Longer than the server keeps its pooled connections idle, so that it never
  // takes up one that we are just closing.
  server.keepAliveTimeout = 75_000
  return server
}

/**
 * @param {IncomingMessage} request
 * @returns {Promise<any>} an object
 */
async function readBody (request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > MOST_BYTES) throw new TooLarge(MOST_BYTES)
    chunks.push(chunk)
  }
  const body = parseJson(Buffer.concat(chunks).toString() || '{}')
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new Malformed('the body must be a JSON object')
  return body
}

/** @param {string} text */
function parseJson (text) {
  try {
    return JSON.parse(text)
  } catch {
    throw new Malformed('the body is not JSON')
  }
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {unknown} body
 */
function respond (response, status, body) {
  if (body === undefined) return void response.writeHead(status).end()
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': bytes.length }).end(bytes)
}

/**
 * A guest chose these bytes and what they say they are: nothing is to open them by itself.
 *
 * @param {ServerResponse} response
 * @param {import('./media.js').File} file
 */
function hand (response, { pieces, size, mimetype }) {
  response.writeHead(200, {
    'Content-Type': mimetype,
    'Content-Length': size,
    'Content-Disposition': 'attachment',
    'X-Content-Type-Options': 'nosniff'
  })
  response.setTimeout(HAND_WITHIN_MS, () => response.destroy())
  // Whoever hangs up in the middle no longer wants it.
  pipeline(Readable.from(pieces), response).catch(() => {})
}

/**
 * @param {ServerResponse} response
 * @param {unknown} error
 * @param {import('./logger.js').Logger} logger
 */
function fail (response, error, logger) {
  if (error instanceof TooLarge) response.setHeader('Connection', 'close')
  if (error instanceof TooFast) response.setHeader('Retry-After', error.retryAfterS)
  if (error instanceof SidecarError) return respond(response, error.status, { error: error.message, ...error.details })
  logger.error({ event: 'request_failed', error: error instanceof Error ? error.message : 'unknown' })
  respond(response, 500, { error: 'the sidecar failed; its log says why' })
}
