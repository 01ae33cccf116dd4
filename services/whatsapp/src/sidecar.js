import { hostname } from 'node:os'
import { isLinked, makeAuthStore } from './auth-store.js'
import { isOwn, makeSignalRepository, noticeMappings, openSocket } from './baileys.js'
import { systemClock } from './clock.js'
import { makeConduct } from './conduct.js'
import { makeConnection } from './connection.js'
import { StartError } from './errors.js'
import { makeForgetting } from './forgetting.js'
import { makeForwarder } from './forwarder.js'
import { makeGuestPresence } from './guest-presence.js'
import { makeJournal } from './journal.js'
import { makeLedger } from './ledger.js'
import { makeLibraryLogger } from './logger.js'
import { makeDownloader } from './media-download.js'
import { makeMedia } from './media.js'
import { makeOutbox } from './outbox.js'
import { makePresence } from './presence.js'
import { makeReporter } from './receipts.js'
import { makeRetryCounters, pruneRetryCounters } from './retry-counters.js'
import { makeServer } from './routes.js'
import { secretCheck, sharedSecret } from './secret.js'
import { makeServerClient } from './server-client.js'
import { makeStanzaRecorder } from './stanza-recorder.js'
import { openStorage } from './storage.js'
import { makeTenants } from './tenants.js'

const STOP_WITHIN_MS = 5000
const PRUNE_EVERY_MS = 60 * 60 * 1000
/** The server hears of every line so often, whether or not it has changed: a report may get lost. */
const REPORT_EVERY_MS = 30_000

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
  let port = 0
  const ownUrl = () => urlOf(config, port)
  const { store, numbers, close: closeStorage } = await openStorage({ config, ownUrl, clock, logger })
  const journal = makeJournal({ store, clock, onFailure: reportFailure })
  const ledger = makeLedger({ store, now: clock.now })
  const client = makeServerClient({ url: config.serverUrl, secret })
  const forwarder = makeForwarder({ post: client.post, journal, clock, logger })
  const reporter = makeReporter({ post: client.post, clock, logger })
  const tenants = makeTenants({ makeConnection: connectionFor, numbers })
  const presence = makePresence({ findSocket: tenants.findSocket, announce: config.announce, clock, logger })
  const guestPresence = makeGuestPresence({
    findSocket: tenants.findSocket,
    tell: (tenantId, presence) => reporter.report(tenantId, { presence: [presence] }),
    clock,
    logger
  })
  const conduct = makeConduct({ store, limits: config.pace, clock, onFailure: reportFailure })
  const outbox = makeOutbox({
    ledger,
    findSocket: tenants.findSocket,
    pace: conduct.pace,
    onSent: (tenantId, send) => {
      conduct.behaviour.onSent(tenantId, send)
      presence.end(tenantId, send.to)
    },
    onRefused: conduct.behaviour.onRefused,
    onLateRefusal: (tenantId, receipt) => reporter.report(tenantId, { receipts: [receipt] }),
    clock,
    logger
  })
  const downloader = makeDownloader({ origin: config.media.origin })
  const media = makeMedia({ settings: config.media, downloader, findSocket: tenants.findSocket, clock, logger })
  const libraryLogger = makeLibraryLogger(logger, config.libraryLogLevel)

  /** @param {string} tenantId */
  function connectionFor (tenantId) {
    const auth = makeAuthStore({ store, journal, tenantId, isHeld: numbers.watch(tenantId) })
    const recorder = makeStanzaRecorder({
      tenantId, journal, isOwnSend: id => ledger.find(tenantId, id) !== undefined, logger, now: clock.now
    })
    const retryCounters = makeRetryCounters({ store, tenantId, now: clock.now, onFailure: reportFailure })
    return makeConnection({
      tenantId,
      auth,
      recorder,
      journal,
      rhythm: conduct.rhythmOf(tenantId),
      clock,
      logger,
      events: eventsOf(tenantId),
      open: creds => openSocket({
        creds,
        keys: noticeMappings(auth.keys, mappings => {
          const ofGuests = mappings.filter(({ lid, pn }) => !isOwn(lid, creds) && !isOwn(pn, creds))
          if (ofGuests.length > 0) reporter.report(tenantId, { mappings: ofGuests })
        }),
        logger: libraryLogger,
        socketUrl: config.socketUrl,
        version: config.version,
        makeSignalRepository: recorder.recording(makeSignalRepository, auth.keepSessions),
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
      onState: () => reportLine(tenantId),
      onConflict: () => conduct.behaviour.onConflict(tenantId),
      onUnreadable: unreadable => reporter.deliver(tenantId, { unreadable: [unreadable] }),
      onMessage: stanza => guestPresence.onMessage(tenantId, stanza),
      onChatState: stanza => guestPresence.onChatState(tenantId, stanza),
      onAck: ack => outbox.onAck(tenantId, ack).catch(reportFailure),
      onReceipts: receipts => {
        const ours = receipts.filter(({ id }) => ledger.find(tenantId, id))
        conduct.behaviour.onDelivered(tenantId, ours.map(({ id }) => id))
        if (ours.length > 0) reporter.report(tenantId, { receipts: ours })
      },
      onClosed: () => {
        outbox.onClosed(tenantId)
        presence.reset(tenantId)
        guestPresence.reset(tenantId)
      }
    }
  }

  /** @param {string} [only] this tenant */
  function reportLine (only) {
    for (const { tenantId, state, since, linked, reason } of tenants.health()) {
      if (only !== undefined && tenantId !== only) continue
      reporter.report(tenantId, { connection: { state, since, linked, ...(reason && { reason }), at: clock.now() } })
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
    await pruneRetryCounters(store, clock.now())
  }

  const { banRiskOf } = conduct
  const forgetting = makeForgetting({
    store, journal, ledger, outbox, inMemory: [reporter, guestPresence, conduct.pace], logger
  })
  const server = makeServer({
    isSecret: secretCheck(secret), outbox, presence, media, tenants, forgetting, banRiskOf, journal, logger
  })
  port = await listen(server, config).catch(async error => {
    await closeStorage()
    throw error
  })
  journal.start(forwarder.enqueue)
  numbers.start({
    connect: tenants.resume,
    take: tenantId => {
      journal.take(tenantId)
      if (isLinked(store, tenantId)) tenants.resume(tenantId)
    },
    leave: async tenantId => {
      await tenants.leave(tenantId)
      journal.leave(tenantId)
    },
    isIdle: tenantId =>
      tenants.stateOf(tenantId) === 'disconnected' && !isLinked(store, tenantId) && journal.isEmpty(tenantId)
  })
  await prune().catch(reportFailure)
  const pruning = setInterval(() => prune().catch(reportFailure), PRUNE_EVERY_MS)
  const reporting = setInterval(() => reportLine(), REPORT_EVERY_MS)

  /** Finish what is under way, within limits; what is not finished is in the journal or the ledger. */
  async function stop () {
    clearInterval(pruning)
    clearInterval(reporting)
    server.close()
    server.closeIdleConnections()
    await within(STOP_WITHIN_MS, [outbox.stop(), forwarder.stop()])
    await within(STOP_WITHIN_MS, [numbers.stop()])
    await tenants.stop()
    server.closeAllConnections()
    client.close()
    downloader.close()
    await closeStorage()
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
 * Where Flask reaches this sidecar.
 *
 * @param {import('./config.js').Config} config
 * @param {number} port
 */
function urlOf ({ advertiseUrl, host }, port) {
  const isLoopback = /^(127\.|localhost$|::1$)/.test(host)
  return advertiseUrl ?? `http://${isLoopback ? '127.0.0.1' : hostname()}:${port}`
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
