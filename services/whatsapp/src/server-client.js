import http from 'node:http'
import https from 'node:https'

/**
 * @typedef {{ status: number, body: any }} Answer body is undefined when it is not JSON
 * @typedef {(path: string, body: unknown) => Promise<Answer>} Post rejects when the server cannot be reached in time
 */

/**
 * Posts JSON to the server over connections that are kept open.
 *
 * @param {{ url: string, secret: string, timeoutMs?: number, connections?: number }} options
 * @returns {{ post: Post, close: () => void }}
 */
export function makeServerClient ({ url, secret, timeoutMs = 10_000, connections = 16 }) {
  const transport = url.startsWith('https:') ? https : http
  const agent = new transport.Agent({ keepAlive: true, maxSockets: connections, scheduling: 'lifo' })

  /** @type {Post} */
  async function post (path, body) {
    const bytes = Buffer.from(JSON.stringify(body))
    try {
      return await postOnce(path, bytes)
    } catch (error) {
      // The server closed an idle connection just as we took it up again; what
      // we post is safe to repeat.
      if (!(error instanceof StaleConnection)) throw error
      return postOnce(path, bytes)
    }
  }

  /**
   * @param {string} path
   * @param {Buffer} bytes
   * @returns {Promise<Answer>}
   */
  function postOnce (path, bytes) {
    return new Promise((resolve, reject) => {
      const request = transport.request(url + path, {
        method: 'POST',
        agent,
        headers: { 'Content-Type': 'application/json', 'Content-Length': bytes.length, 'X-Internal-Secret': secret },
        // Of the whole exchange: a socket timeout would only limit the silences.
        signal: AbortSignal.timeout(timeoutMs)
      }, response => { collect(response).then(resolve, reject) })
      request.on('error', error => {
        const { code } = /** @type {NodeJS.ErrnoException} */ (error)
        reject(request.reusedSocket && code === 'ECONNRESET' ? new StaleConnection() : error)
      })
      request.end(bytes)
    })
  }

  return { post, close: () => agent.destroy() }
}

class StaleConnection extends Error {}

/**
 * @param {http.IncomingMessage} response
 * @returns {Promise<Answer>}
 */
async function collect (response) {
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return { status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString()) }
}

/** @param {string} text */
function parse (text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
