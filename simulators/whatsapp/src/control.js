import { SimulatorError } from './errors.js'
import { ROUTES } from './routes.js'

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./world.js').World} World
 */

const MIB = 1024 * 1024
/** A file of 16 MiB in base64, and more than a client may want to take. */
const LARGEST_BODY = 32 * MIB

/** @param {World} world @returns {(request: Request, response: Response) => void} the control API as a listener */
export function makeControl (world) {
  return (request, response) => {
    answer(world, request).then(
      ({ status, body }) => write(response, status, body),
      error => write(response, error instanceof SimulatorError ? error.status : 500, { error: error.message })
    )
  }
}

/** @param {World} world @param {Request} request @returns {Promise<{status: number, body: unknown}>} */
async function answer (world, request) {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const { route, params } = findRoute(request.method ?? 'GET', url.pathname)
  const body = await readBody(request)
  return { status: route.status, body: await route.run({ world, params, query: url.searchParams, body }) }
}

/** @param {string} method @param {string} path */
function findRoute (method, path) {
  const matches = ROUTES.flatMap(route => {
    const match = route.path.exec(path)
    return match ? [{ route, params: match.slice(1).map(decodeURIComponent) }] : []
  })
  if (matches.length === 0) throw new SimulatorError(404, `there is no ${path}`)
  const found = matches.find(({ route }) => route.method === method)
  if (!found) throw new SimulatorError(405, `${path} takes ${matches.map(({ route }) => route.method).join(', ')}`)
  return found
}

/** @param {Request} request @returns {Promise<Record<string, unknown>>} */
async function readBody (request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > LARGEST_BODY) throw new SimulatorError(413, `the body is larger than ${LARGEST_BODY / MIB} MiB`)
    chunks.push(chunk)
  }
  return parse(Buffer.concat(chunks).toString())
}

/** @param {string} text @returns {Record<string, unknown>} */
function parse (text) {
  if (text === '') return {}
  try {
    const body = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  } catch {
    // answered below, like all that is not an object
  }
  throw new SimulatorError(400, 'the body is not a JSON object')
}

/** @param {Response} response @param {number} status @param {unknown} body */
function write (response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body ?? {}))
}
