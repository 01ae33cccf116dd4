import { createServer } from 'node:http'
import { once } from 'node:events'

/**
 * A stand-in for Flask that keeps its side of the contract: checks the secret,
 * judges each message once, knows duplicates.
 *
 * @param {{ secret: string, port?: number }} options
 */
export async function startFakeServer ({ secret, port = 0 }) {
  /** @type {any[]} */
  const messages = []
  /** @type {any[]} */
  const statuses = []
  /** @type {(() => void)[]} */
  let watchers = []
  const seen = new Set()
  const connections = new Set()
  let posts = 0
  /** @type {((message: any) => { status: number, body?: unknown } | undefined) | undefined} */
  let answering
  let beforeAnswer = async () => {}

  const server = createServer(async (request, response) => {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    posts += 1
    connections.add(request.socket)
    const { status, body } = await judge(request, JSON.parse(Buffer.concat(chunks).toString()))
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body ?? {}))
    for (const watcher of watchers) watcher()
  })

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {any} envelope
   */
  async function judge (request, envelope) {
    if (request.headers['x-internal-secret'] !== secret) return { status: 401 }
    if (request.url === '/webhook/whatsapp/status') {
      statuses.push(envelope)
      return { status: 200 }
    }
    await beforeAnswer()
    const [message] = envelope.payload.messages
    return answering?.(message) ?? accept(envelope.tenantId, message)
  }

  /**
   * @param {string} tenantId
   * @param {any} message
   */
  function accept (tenantId, message) {
    const name = JSON.stringify([tenantId, message.key.remoteJid, message.key.fromMe, message.key.id])
    const isNew = !seen.has(name)
    seen.add(name)
    if (isNew) messages.push({ tenantId, ...message })
    return { status: 200, body: { accepted: isNew ? 1 : 0, duplicates: isNew ? 0 : 1, ignored: 0, rejected: [] } }
  }

  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const address = /** @type {import('node:net').AddressInfo} */ (server.address())

  return {
    port: address.port,
    url: `http://127.0.0.1:${address.port}`,
    messages,
    statuses,
    texts: () => messages.map(textOf),
    posts: () => posts,
    connections: () => connections.size,
    /** @param {typeof answering} answer undefined: the verdict that the contract asks for */
    answerWith: answer => {
      answering = answer
    },
    /** @param {() => Promise<void>} wait */
    holdUntil: wait => {
      beforeAnswer = wait
    },
    /**
     * @param {() => boolean} condition
     * @param {number} [limitMs]
     */
    until: (condition, limitMs = 10_000) => new Promise((resolve, reject) => {
      const done = () => {
        if (!condition()) return
        clearTimeout(timer)
        watchers = watchers.filter(watcher => watcher !== done)
        resolve(undefined)
      }
      const timer = setTimeout(() => reject(new Error(`not in ${limitMs} ms: ${condition}`)), limitMs)
      watchers.push(done)
      done()
    }),
    async close () {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    }
  }
}

/** @param {any} message */
export function textOf ({ message }) {
  return message.conversation ?? message.extendedTextMessage?.text
}
