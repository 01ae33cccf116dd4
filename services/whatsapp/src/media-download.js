import http from 'node:http'
import https from 'node:https'
import { publicLookup } from './media-address.js'
import { Oversized, Unreachable } from './errors.js'

/**
 * @typedef {ReturnType<typeof makeDownloader>} Downloader
 */

/** WhatsApp's words for media that it no longer keeps, or whose link has expired. */
const GONE = [403, 404, 410]
const CONNECTIONS = 8

/** The server does not hand it out (any more). */
export class Missing extends Error {}

/**
 * Fetches sealed media. Not by Baileys, whose download ends the process when
 * the connection breaks, follows redirects to anywhere, has no limits and
 * checks no MAC (7.0.0-rc14).
 *
 * @param {{ origin: string | undefined }} options an origin that the operator named may be internal
 */
export function makeDownloader ({ origin }) {
  const transport = origin?.startsWith('http:') ? http : https
  const agent = new transport.Agent({
    keepAlive: true,
    maxSockets: CONNECTIONS,
    ...(!origin && { lookup: publicLookup })
  })

  /**
   * One GET; a redirect is not followed.
   *
   * @param {URL} address
   * @param {object} options
   * @param {number} options.mostBytes
   * @param {AbortSignal} options.signal
   * @returns {AsyncGenerator<Buffer, void>}
   * @throws {Missing | Oversized | Unreachable}
   */
  async function* download (address, { mostBytes, signal }) {
    const response = await get(address, signal)
    try {
      if (GONE.includes(response.statusCode ?? 0)) throw new Missing()
      if (response.statusCode !== 200) throw new Unreachable()
      if (Number(response.headers['content-length']) > mostBytes) throw new Oversized(mostBytes)
      yield* limited(response, mostBytes)
    } finally {
      response.destroy()
    }
  }

  /**
   * @param {URL} address
   * @param {AbortSignal} signal
   * @returns {Promise<http.IncomingMessage>}
   */
  function get (address, signal) {
    return new Promise((resolve, reject) => {
      const request = transport.get(address, { agent, signal, headers: { Origin: 'https://web.whatsapp.com' } })
      let isAnswered = false
      request.on('response', response => {
        isAnswered = true
        resolve(response)
      })
      request.on('error', error => {
        const { code } = /** @type {NodeJS.ErrnoException} */ (error)
        // The host closed an idle connection just as we took it up again.
        const isStale = request.reusedSocket && code === 'ECONNRESET' && !isAnswered
        if (isStale) get(address, signal).then(resolve, reject)
        else reject(new Unreachable())
      })
    })
  }

  return { download, close: () => agent.destroy() }
}

/**
 * @param {http.IncomingMessage} response
 * @param {number} mostBytes
 */
async function* limited (response, mostBytes) {
  let size = 0
  try {
    for await (const piece of response) {
      size += piece.length
      if (size > mostBytes) break
      yield /** @type {Buffer} */ (piece)
    }
  } catch {
    throw new Unreachable()
  }
  if (size > mostBytes) throw new Oversized(mostBytes)
}
