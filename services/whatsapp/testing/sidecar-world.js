import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startSimulator } from '../../../simulators/whatsapp/src/simulator.js'
import { startFakeServer, textOf } from './fake-server.js'
import { scratchDirectory } from './scratch.js'

/**
 * The whole neighbourhood of a sidecar: WhatsApp (the simulator), a server, and
 * the sidecar itself as the real process that it is.
 *
 * @typedef {Awaited<ReturnType<typeof makeWorld>>} World
 * @typedef {Awaited<ReturnType<typeof startSidecar>>} Sidecar
 */

const INDEX = fileURLToPath(new URL('../src/index.js', import.meta.url))
const TRUST = new URL('../../../simulators/whatsapp/src/trust.js', import.meta.url).href
export const SECRET = 'a secret for tests'
const PATIENCE_MS = 10_000

export const HOST = '972500000001'
export const GUEST = '972500000002'

/**
 * One linked sidecar for all tests of a `describe`, and a guest of its own for
 * each: linking is what costs time.
 */
export function shareWorld () {
  /** @type {(() => unknown)[]} */
  const endings = []
  /** @type {{ world: World, running: Sidecar }} */
  let shared
  let guests = 0
  before(async () => {
    const world = await makeWorld({ after: ending => void endings.push(ending) })
    const running = await world.sidecar()
    await world.link(running)
    shared = { world, running }
  })
  after(async () => {
    for (const ending of endings) await ending()
  })

  /** @param {object} [manner] */
  async function guest (manner = {}) {
    const { world, running } = shared
    const pn = String(972520000000 + guests++)
    const { lid } = await world.control('POST /guests', { pn, ...manner })
    const jids = [`${lid}@lid`, `${pn}@s.whatsapp.net`]
    const arrived = () => world.server.messages.filter(({ key }) => jids.includes(key.remoteJid))
    return {
      world,
      running,
      pn,
      lid: jids[0],
      arrived,
      texts: () => arrived().map(textOf),
      /** @param {number} count */
      heard: count => world.server.until(() => arrived().length >= count),
      /** @param {string} text @param {object} [more] */
      writes: (text, more) => world.guestWrites(text, more, pn),
      phone: () => world.control(`GET /guests/${pn}`),
      /** @param {string} id */
      receives: id => world.event('guest.received', pn, event => event.id === id)
    }
  }

  return guest
}

/** @param {{ after: (ending: () => unknown) => void }} t */
export async function makeWorld (t) {
  const simulator = await startSimulator({ seed: 1 })
  const server = await startFakeServer({ secret: SECRET })
  /** @type {Sidecar[]} */
  const sidecars = []
  t.after(async () => {
    await Promise.all(sidecars.map(sidecar => sidecar.kill()))
    await server.close()
    await simulator.close()
  })
  // After the hook above, so that nobody writes there any more when it goes.
  const dataDir = scratchDirectory(t)

  /**
   * The simulator's control API.
   *
   * @param {string} line method and path
   * @param {object} [body]
   * @returns {Promise<any>}
   */
  async function control (line, body) {
    const [method, path] = line.split(' ')
    const response = await fetch(simulator.controlUrl + path, { method, ...(body && { body: JSON.stringify(body) }) })
    const answer = /** @type {any} */ (await response.json())
    if (!response.ok) throw new Error(`${line}: ${answer.error}`)
    return answer
  }

  /**
   * The first event of a kind, past or to come.
   *
   * @param {string} type
   * @param {string} pn
   * @param {(event: any) => boolean} [fits]
   */
  async function event (type, pn, fits = () => true) {
    const until = Date.now() + PATIENCE_MS
    for (let after = 0; Date.now() < until;) {
      const query = new URLSearchParams({ after: String(after), timeout_ms: '500', type, pn })
      const { events, next } = await control(`GET /events?${query}`)
      const found = events.find(fits)
      if (found) return found
      after = next
    }
    throw new Error(`no ${type} of ${pn} in ${PATIENCE_MS} ms`)
  }

  /** @param {Record<string, string>} [env] */
  async function sidecar (env = {}) {
    const started = await startSidecar({
      DATA_DIR: dataDir,
      INTERNAL_SECRET: SECRET,
      SERVER_URL: server.url,
      WHATSAPP_SOCKET_URL: simulator.socketUrl,
      WHATSAPP_MEDIA_URL: simulator.mediaUrl,
      WHATSAPP_SIM_ROOT_KEY: simulator.rootKey,
      ...env
    })
    sidecars.push(started)
    return started
  }

  /** @type {Set<string>} */
  const hosts = new Set()

  async function addHost (pn = HOST) {
    hosts.add(pn)
    await control('POST /hosts', { pn, name: 'Casa Prova' })
  }

  /**
   * Link tenant 1 to the host by QR.
   *
   * @param {Sidecar} running
   * @param {{ tenantId?: string, pn?: string }} [who]
   */
  async function link (running, { tenantId = '1', pn = HOST } = {}) {
    if (!hosts.has(pn)) await addHost(pn)
    await running.call(`POST /tenants/${tenantId}/connect`, {})
    const { qr } = await running.until(tenantId, view => view.qr)
    await control(`POST /hosts/${pn}/scan`, { qr })
    await running.until(tenantId, view => view.state === 'open')
  }

  /** A linked sidecar and a guest. @param {object} [guest] */
  async function linked (guest = {}) {
    const running = await sidecar()
    await link(running)
    const { lid } = await control('POST /guests', { pn: GUEST, ...guest })
    return { running, lid: /** @type {string} */ (lid) }
  }

  /** @param {string} text @param {object} [more] @param {string} [pn] */
  async function guestWrites (text, more = {}, pn = GUEST) {
    return (await control(`POST /guests/${pn}/send`, { to: HOST, text, ...more })).id
  }

  return { simulator, server, dataDir, control, event, sidecar, addHost, link, linked, guestWrites }
}

/** @param {Record<string, string>} env */
async function startSidecar (env) {
  const child = spawn(process.execPath, ['--import', TRUST, INDEX], {
    cwd: tmpdir(),
    env: { PATH: process.env.PATH, WHATSAPP_PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  /** @type {string[]} */
  const output = []
  child.stderr.on('data', data => output.push(String(data)))
  const exited = once(child, 'exit')
  const port = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', line => {
      output.push(line)
      if (line.includes('"event":"listening"')) resolve(JSON.parse(line).port)
    })
    exited.then(([code]) => reject(Object.assign(new Error(output.join('\n')), { code })))
  })

  /**
   * @param {string} line method and path
   * @param {unknown} [body]
   * @param {Record<string, string>} [headers]
   */
  function request (line, body, headers = { 'x-internal-secret': env.INTERNAL_SECRET }) {
    const [method, path] = line.split(' ')
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    return fetch(`http://127.0.0.1:${port}${path}`, init)
  }

  /**
   * @param {string} line method and path
   * @param {unknown} [body]
   * @param {Record<string, string>} [headers]
   */
  async function ask (line, body, headers) {
    const response = await request(line, body, headers)
    const text = await response.text()
    return { status: response.status, body: text ? JSON.parse(text) : undefined }
  }

  /** @param {string} line @param {unknown} [body] @returns {Promise<any>} what a successful call answers */
  async function call (line, body) {
    const { status, body: answer } = await ask(line, body)
    if (status >= 300) throw new Error(`${line}: ${status} ${JSON.stringify(answer)}`)
    return answer
  }

  /**
   * Ask until the answer is right.
   *
   * @param {string} line
   * @param {(answer: any) => unknown} isRight
   * @returns {Promise<any>}
   */
  async function poll (line, isRight) {
    const limit = Date.now() + PATIENCE_MS
    for (;;) {
      const { body } = await ask(line)
      if (isRight(body)) return body
      if (Date.now() > limit) throw new Error(`${line} stays ${JSON.stringify(body)}\n${output.join('\n')}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** @param {NodeJS.Signals} [signal] */
  async function kill (signal = 'SIGKILL') {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    const [code] = await exited
    return code
  }

  return {
    child,
    port,
    request,
    ask,
    call,
    /** @param {string} tenantId @param {(view: any) => unknown} isRight */
    until: (tenantId, isRight) => poll(`GET /tenants/${tenantId}`, isRight),
    /** @param {(health: any) => unknown} isRight */
    healthy: isRight => poll('GET /health', isRight),
    kill,
    output: () => output.join('\n'),
    send: (/** @type {object} */ body) => ask('POST /send', { tenantId: '1', ...body }),
    /** @param {string} name */
    events: name => output.filter(line => line.includes(`"event":"${name}"`)).map(line => JSON.parse(line)),
    directory: join(env.DATA_DIR, 'whatsapp')
  }
}
