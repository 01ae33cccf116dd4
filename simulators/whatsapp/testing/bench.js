import '../src/quiet.js'
import { after } from 'node:test'
import { Browsers, BufferJSON, initAuthCreds, makeWASocket, WA_CERT_DETAILS } from 'baileys'
import pino from 'pino'
import { startSimulator } from '../src/simulator.js'

/**
 * @typedef {import('baileys').WASocket} Socket
 * @typedef {import('baileys').WAMessage} Message
 * @typedef {import('../src/events.js').SimulatorEvent} SimulatorEvent
 * @typedef {Awaited<ReturnType<typeof makeBench>>} Bench
 */

const PATIENCE_MS = 8000

/**
 * Baileys leaves timers of 20 s and more behind a closed socket, for queries and for each upload of
 * prekeys; a test process must not wait for them.
 */
const LEFT_BEHIND_MS = 20_000
const plainSetTimeout = globalThis.setTimeout
globalThis.setTimeout = /** @type {typeof setTimeout} */ (Object.assign(
  (/** @type {(...rest: any[]) => void} */ job, /** @type {number} */ ms, /** @type {any[]} */ ...rest) => {
    const timer = plainSetTimeout(() => job(...rest), ms)
    return ms >= LEFT_BEHIND_MS ? timer.unref() : timer
  }, plainSetTimeout))

/** A simulator, its control API, and stock Baileys clients; all ends with the test file. */
export async function makeBench () {
  const simulator = await startSimulator({ seed: 7 })
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(simulator.rootKey, 'hex')
  /** @type {Client[]} */
  const clients = []
  after(async () => {
    await Promise.all(clients.map(client => client.close()))
    await simulator.close()
  })

  /**
   * @param {string} path @param {object} [body] @param {string} [method]
   * @returns {Promise<Record<string, any>>} the answer, its HTTP status with it
   */
  async function call (path, body, method = body ? 'POST' : 'GET') {
    const response = await fetch(simulator.controlUrl + path, {
      method, ...(body && { body: JSON.stringify(body) })
    })
    const answer = /** @type {Record<string, any>} */ (await response.json())
    return { status: response.status, ...answer }
  }

  /**
   * @param {string} type @param {string} pn @param {(event: SimulatorEvent) => boolean} [fits]
   * @returns {Promise<SimulatorEvent>} the first such event of all, old or new
   */
  async function event (type, pn, fits = () => true) {
    for (let after = 0, end = Date.now() + PATIENCE_MS; Date.now() < end;) {
      const query = new URLSearchParams({ after: String(after), timeout_ms: '1000', type, pn })
      const { events, next } = await call(`/events?${query}`)
      const found = events.find(fits)
      if (found) return found
      after = next
    }
    throw new Error(`no ${type} of ${pn}`)
  }

  /** @param {object} [config] of the socket, over the defaults */
  function makeClient (config = {}) {
    const client = new Client(simulator.socketUrl, config)
    clients.push(client)
    return client
  }

  /** A host whose number is linked to an open client. @param {string} pn @param {object} [config] */
  async function linkedHost (pn, config = {}) {
    const host = await call('/hosts', { pn, name: 'Casa Prova' })
    const client = makeClient(config)
    client.connect()
    const scanned = await call(`/hosts/${pn}/scan`, { qr: await client.qr() })
    if (scanned.status !== 200) throw new Error(`scan: ${scanned.error}`)
    await client.opened()
    return { host, client }
  }

  return { simulator, call, event, makeClient, linkedHost }
}

/** A stock Baileys socket with keys in memory, which connects again after 515 as every application must. */
export class Client {
  /** @param {string} url @param {object} config */
  constructor (url, config) {
    this.url = url
    this.config = config
    /** @type {import('baileys').AuthenticationState} */
    this.auth = { creds: initAuthCreds(), keys: memoryKeys() }
    /** @type {(Message & {upsert: string})[]} */
    this.messages = []
    /** @type {Partial<import('baileys').ConnectionState>[]} */
    this.updates = []
    /** @type {{name: string, data: any}[]} */
    this.events = []
    /** @type {import('baileys').BinaryNode[]} as they came from the server */
    this.stanzas = []
    /** @type {Set<() => void>} */
    this.waiting = new Set()
    /** @type {Socket | undefined} */
    this.socket = undefined
  }

  connect () {
    this.updates = []
    const socket = makeWASocket(this.options())
    this.socket = socket
    socket.ws.on('frame', (/** @type {import('baileys').BinaryNode} */ stanza) => {
      this.stanzas.push(stanza)
      this.wake()
    })
    socket.ev.process(events => {
      if (events['creds.update']) Object.assign(this.auth.creds, events['creds.update'])
      for (const message of events['messages.upsert']?.messages ?? []) {
        this.messages.push({ ...message, upsert: events['messages.upsert']?.type ?? '' })
      }
      for (const [name, data] of Object.entries(events)) this.events.push({ name, data })
      if (events['connection.update']) this.changed(events['connection.update'])
      this.wake()
    })
    return socket
  }

  /** @param {Partial<import('baileys').ConnectionState>} update */
  changed (update) {
    this.updates.push(update)
    // Only after pairing: a test that cuts with 515 connects again by itself.
    if (closeCode(update) === 515 && this.updates.some(({ isNewLogin }) => isNewLogin)) this.connect()
  }

  options () {
    return {
      waWebSocketUrl: this.url,
      auth: this.auth,
      logger: pino({ level: 'silent' }),
      browser: Browsers.macOS('Chrome'),
      markOnlineOnConnect: false,
      defaultQueryTimeoutMs: LEFT_BEHIND_MS,
      ...this.config
    }
  }

  /** @param {(update: Partial<import('baileys').ConnectionState>) => boolean} fits */
  update (fits) {
    return this.until(() => this.updates.find(fits), 'connection update')
  }

  /** @returns {Promise<string>} the text that the first code holds */
  async qr () {
    return (await this.update(({ qr }) => Boolean(qr))).qr ?? ''
  }

  opened () {
    return this.update(({ connection }) => connection === 'open')
  }

  /**
   * Send a text.
   *
   * @param {string} to @param {string} text @param {object} [more]
   * @returns {Promise<string>} its id, once it is written to the socket
   */
  async send (to, text, more = {}) {
    const sent = await this.socket?.sendMessage(to, { text, linkPreview: null }, more)
    return sent?.key.id ?? ''
  }

  /** @returns {Promise<number | undefined>} the code with which it closed */
  async closed () {
    return closeCode(await this.update(({ connection }) => connection === 'close'))
  }

  /** @param {(message: Message & {upsert: string}) => boolean} fits */
  message (fits) {
    return this.until(() => this.messages.find(fits), 'message')
  }

  /** @param {(stanza: import('baileys').BinaryNode) => boolean} fits */
  stanza (fits) {
    return this.until(() => this.stanzas.find(fits), 'stanza')
  }

  wake () {
    for (const look of [...this.waiting]) look()
  }

  /** @param {string} name @param {(data: any) => boolean} fits @returns {Promise<any>} */
  async event (name, fits) {
    return this.until(() => this.events.find(one => one.name === name && fits(one.data))?.data, name)
  }

  /**
   * @template T
   * @param {() => T | undefined} look @param {string} what
   * @returns {Promise<T>}
   */
  until (look, what) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.waiting.delete(check)
        reject(new Error(`the client saw no such ${what}`))
      }, PATIENCE_MS)
      const check = () => {
        const found = look()
        if (found === undefined) return
        clearTimeout(timer)
        this.waiting.delete(check)
        resolve(found)
      }
      this.waiting.add(check)
      check()
    })
  }

  async close () {
    await this.socket?.end(undefined)
  }
}

/** @param {Partial<import('baileys').ConnectionState>} update @returns {number | undefined} */
function closeCode ({ connection, lastDisconnect }) {
  if (connection !== 'close') return undefined
  return /** @type {import('@hapi/boom').Boom | undefined} */ (lastDisconnect?.error)?.output?.statusCode
}

/** Serialised as a store would, so that nothing is shared by reference. @returns {import('baileys').SignalKeyStore} */
function memoryKeys () {
  /** @type {Map<string, string>} */
  const kept = new Map()
  return {
    get: async (type, ids) => Object.fromEntries(ids.flatMap(id => {
      const text = kept.get(`${type} ${id}`)
      return text === undefined ? [] : [[id, JSON.parse(text, BufferJSON.reviver)]]
    })),
    set: async data => {
      for (const [type, values] of Object.entries(data)) {
        for (const [id, value] of Object.entries(values ?? {})) {
          if (value == null) kept.delete(`${type} ${id}`)
          else kept.set(`${type} ${id}`, JSON.stringify(value, BufferJSON.replacer))
        }
      }
    }
  }
}
