import { join } from 'node:path'
import { linkedTenants, makeAuthStore } from './auth-store.js'
import { makeSignalRepository, openSocket } from './baileys.js'
import { makeCache } from './cache.js'
import { systemClock } from './clock.js'
import { makeConnection } from './connection.js'
import { StartError } from './errors.js'
import { makeForwarder } from './forwarder.js'
import { makeJournal } from './journal.js'
import { makeLedger } from './ledger.js'
import { makeLibraryLogger } from './logger.js'
import { makeOutbox } from './outbox.js'
import { makePresence } from './presence.js'
import { makeReporter } from './receipts.js'
import { makeServer } from './routes.js'
import { secretCheck, sharedSecret } from './secret.js'
import { makeServerClient } from './server-client.js'
import { makeStanzaRecorder } from './stanza-recorder.js'
import { openStore } from './store.js'
import { makeTenants } from './tenants.js'

const STOP_WITHIN_MS = 5000
const PRUNE_EVERY_MS = 60 * 60 * 1000
const RETRY_COUNTERS = { limit: 10_000, ttlMs: 60 * 60 * 1000 }

/**
 * The whole sidecar, put together.
 *
 * @param {object} deps
 * @param {import('./config.js').Config} deps.config
 * @param {import('./logger.js').Logger} deps.logger
 * @param {import('./clock.js').Clock} [deps.clock]
 * @returns {Promise<{ port: number, stop: () => Promise<void> }>}
 * @throws {StartError}
 */
export async function startSidecar ({ config, logger, clock = systemClock }) {
  const secret = config.secret ?? sharedSecret(config.dataDir)
  const store = openStore(join(config.dataDir, 'whatsapp'))
  const journal = makeJournal({ store, clock, onFailure: reportFailure })
  const ledger = makeLedger({ store, now: clock.now })
  const client = makeServerClient({ url: config.serverUrl, secret })
  const forwarder = makeForwarder({ post: client.post, journal, clock, logger })
  const reporter = makeReporter({ post: client.post, clock, logger })
  const tenants = makeTenants({ makeConnection: connectionFor })
  const presence = makePresence({ findSocket: tenants.findSocket, announce: config.announce, clock, logger })
  const outbox = makeOutbox({
    ledger,
    findSocket: tenants.findSocket,
    onSent: presence.end,
    onLateRefusal: (tenantId, receipt) => reporter.report(tenantId, { receipts: [receipt] }),
    clock,
    logger
  })
  const libraryLogger = makeLibraryLogger(logger, config.libraryLogLevel)

  /** @param {string} tenantId */
  function connectionFor (tenantId) {
    const auth = makeAuthStore({ store, journal, tenantId })
    const recorder = makeStanzaRecorder({
      tenantId, journal, isOwnSend: id => ledger.find(tenantId, id) !== undefined, logger, now: clock.now
    })
    const retryCounters = makeCache(RETRY_COUNTERS)
    return makeConnection({
      tenantId,
      auth,
      recorder,
      journal,
      clock,
      logger,
      events: eventsOf(tenantId),
      open: creds => openSocket({
        creds,
        keys: auth.keys,
        logger: libraryLogger,
        socketUrl: config.socketUrl,
        version: config.version,
        makeSignalRepository: recorder.recording(makeSignalRepository),
        retryCounters,
        findSentText: id => ledger.find(tenantId, id)?.text
      })
    })
  }

  /**
   * @param {string} tenantId
   * @returns {import('./connection.js').Events}
   */
  function eventsOf (tenantId) {
    return {
      onState: state => reporter.report(tenantId, { connection: { state, at: clock.now() } }),
      onAck: ack => outbox.onAck(tenantId, ack).catch(reportFailure),
      onReceipts: receipts => {
        const ours = receipts.filter(({ id }) => ledger.find(tenantId, id))
        if (ours.length > 0) reporter.report(tenantId, { receipts: ours })
      },
      onClosed: () => {
        outbox.onClosed(tenantId)
        presence.reset(tenantId)
      }
    }
  }

  /** @param {Error} error */
  function reportFailure (error) {
    logger.error({ event: 'failure', error: error.message })
  }

  async function prune () {
    for (const { tenantId, attrs } of await journal.prune()) {
      logger.error({ event: 'message_unreadable', alert: true, tenantId, messageId: attrs.id })
    }
    await ledger.prune()
  }

  const server = makeServer({ isSecret: secretCheck(secret), outbox, presence, tenants, journal, logger })
  const port = await listen(server, config).catch(async error => {
    await store.close()
    throw error
  })
  journal.start(forwarder.enqueue)
  tenants.resume(linkedTenants(store))
  await prune()
  const pruning = setInterval(() => prune().catch(reportFailure), PRUNE_EVERY_MS)

  /** Finish what is under way, within limits; what is not finished is in the journal or the ledger. */
  async function stop () {
    clearInterval(pruning)
    server.close()
    server.closeIdleConnections()
    await within(STOP_WITHIN_MS, [outbox.stop(), forwarder.stop()])
    await tenants.stop()
    server.closeAllConnections()
    client.close()
    await store.close()
  }

  return { port, stop }
}

/**
 * @param {import('node:http').Server} server
 * @param {import('./config.js').Config} config
 * @returns {Promise<number>} the port
 */
function listen (server, { port, host }) {
  return new Promise((resolve, reject) => {
    server.once('error', error => {
      const { code } = /** @type {NodeJS.ErrnoException} */ (error)
      reject(code === 'EADDRINUSE'
        ? new StartError(`Port ${port} on ${host} is taken: stop what listens there, or set WHATSAPP_PORT to another port.`)
        : new StartError(`The sidecar cannot listen on ${host}:${port} (${code}).`))
    })
    server.listen(port, host, () => resolve(/** @type {import('node:net').AddressInfo} */ (server.address()).port))
  })
}

/**
 * @param {number} limitMs
 * @param {Promise<unknown>[]} work
 */
async function within (limitMs, work) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer
  const limit = new Promise(resolve => {
    timer = setTimeout(resolve, limitMs)
  })
  await Promise.race([Promise.allSettled(work), limit])
  clearTimeout(timer)
}
