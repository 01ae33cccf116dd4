import { closeCode, hangUp, normalizeJid, ping } from './baileys.js'
import { Conflict } from './errors.js'
import { makeLiveness } from './liveness.js'
import { receiptsIn } from './receipts.js'
import { nextStep } from './reconnect.js'
import { makeUnread } from './unread.js'

/**
 * One number's connection: at most one socket at a time, a new one for each
 * attempt, and proof that it is alive.
 *
 * @typedef {'disconnected' | 'connecting' | 'qr' | 'pairing' | 'open' | 'deaf' | 'logged_out' | 'blocked'} State
 * @typedef {{ state: State, reason?: string, qr?: string, pairingCode?: string }} View
 * @typedef {import('./baileys.js').Socket} Socket
 * @typedef {object} Events what a connection tells the rest
 * @property {(state: State) => void} onState
 * @property {() => void} onConflict another client has taken the link over
 * @property {(unreadable: import('./unread.js').Unreadable) => Promise<boolean>} onUnreadable
 *   false: tell it again later
 * @property {(stanza: import('./baileys.js').Stanza) => void} onMessage
 * @property {(stanza: import('./baileys.js').Stanza) => void} onChatState
 * @property {(ack: import('./outbox.js').Ack) => unknown} onAck
 * @property {(receipts: import('./receipts.js').Receipt[]) => void} onReceipts
 * @property {() => void} onClosed
 * @typedef {ReturnType<typeof makeConnection>} Connection
 */

/** Somebody who looks at the QR asks for it more often than this. */
const ASKED_WITHIN_MS = 120_000
/** A linked number that has been away for so long hears nothing: that is an alert. */
const AWAY_IS_DEAF_MS = 30_000
/** Connections that last longer than this were good ones. */
const LASTING_MS = 30_000
/** Conflicts further apart than this have nothing to do with each other. */
const CONFLICT_FORGOTTEN_MS = 600_000
/** By then an attempt is connected or shows a code. Baileys limits its steps, not the whole. */
const ATTEMPT_LIMIT_MS = 45_000
const PROBE_EVERY_MS = 10_000
const PROBE_LIMIT_MS = 5000
/** After `open`, the server delivers again what we did not acknowledge; so long it has, to say that this was all. */
const BACKLOG_LIMIT_MS = 5000
/** Baileys itself asks at once for what it cannot decrypt; this is for what did not come then. */
const ASK_AGAIN_EVERY_MS = 60_000
const FAREWELL_MS = 300
/** What WhatsApp sends of its own accord when others write, read or receive. */
const UNASKED = ['message', 'receipt', 'notification']

/**
 * @param {object} deps
 * @param {string} deps.tenantId
 * @param {import('./auth-store.js').AuthStore} deps.auth
 * @param {ReturnType<typeof import('./stanza-recorder.js').makeStanzaRecorder>} deps.recorder
 * @param {import('./unread.js').Notes & Pick<import('./journal.js').Journal, 'hold'>} deps.journal
 * @param {ReturnType<typeof import('./rhythm.js').makeRhythm>} deps.rhythm
 * @param {(creds: import('./baileys.js').Creds) => Socket} deps.open
 * @param {Events} deps.events
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeConnection ({ tenantId, auth, recorder, journal, rhythm, open, events, clock, logger }) {
  /** @type {View} */
  let view = { state: 'disconnected' }
  /** @type {Socket | undefined} */
  let socket
  /** @type {string | undefined} digits of the number to link by code */
  let phone
  /** Raised by whatever makes the current attempt obsolete. */
  let generation = 0
  let failures = 0
  let conflicts = 0
  let askedAt = -Infinity
  let openedAt = 0
  let startedAt = 0
  let isCaughtUp = false
  let lostAt = clock.now()
  const liveness = makeLiveness({ rhythm, clock })
  const unread = makeUnread({ tenantId, journal, tell: events.onUnreadable, clock, logger })
  /** @type {(() => void)[]} */
  let timers = []
  if (auth.fault()) view = { state: 'blocked', reason: unreadable() }

  /**
   * Link, or connect again. One attempt runs at a time, however often it is
   * asked for.
   *
   * @param {string} [byPhone] digits: pair by code instead of by QR
   * @throws {Conflict} the stored identity cannot be read
   */
  function connect (byPhone) {
    if (auth.fault()) throw new Conflict(unreadable())
    askedAt = clock.now()
    const busy = ['connecting', 'qr', 'pairing', 'open', 'deaf'].includes(view.state)
    if (busy && (auth.isLinked() || byPhone === phone)) return
    phone = byPhone
    failures = 0
    conflicts = 0
    void attempt()
  }

  async function attempt () {
    drop()
    const mine = generation
    // Why the last attempt failed is told until this one has come to something.
    show({ state: view.state === 'deaf' ? 'deaf' : 'connecting', ...(view.reason && { reason: view.reason }) })
    try {
      const creds = await auth.begin()
      if (mine !== generation) return
      startedAt = clock.now()
      isCaughtUp = false
      socket = open(creds)
      listen(socket, creds, mine)
      later(ATTEMPT_LIMIT_MS, () => endIfStuck().catch(reportFailure))
    } catch (error) {
      logger.error({ event: 'connect_failed', tenantId, error: /** @type {Error} */ (error).message })
      if (mine === generation) await onClose(undefined)
    }
  }

  /** An attempt that has come to nothing, though its socket does not say so, has failed. */
  async function endIfStuck () {
    if (view.state !== 'connecting' && view.state !== 'deaf') return
    logger.warn({ event: 'connect_stuck', tenantId })
    await onClose(undefined)
  }

  /**
   * @param {Socket} fresh
   * @param {import('./baileys.js').Creds} creds
   * @param {number} mine
   */
  function listen (fresh, creds, mine) {
    const { ev, ws } = fresh
    ev.on('creds.update', () => auth.save().catch(reportFailure))
    ev.on('connection.update', update => {
      if (mine === generation) onUpdate(fresh, update).catch(reportFailure)
    })
    ev.on('messages.upsert', upsert => {
      recorder.onUpsert(upsert, { creds, keys: auth.keys }).catch(reportFailure)
    })
    // Baileys emits `frame` before it handles a stanza; in the handshake it is bare bytes.
    ws.on('frame', (/** @type {any} */ stanza) => stanza.tag && onStanza(stanza))
  }

  /** @param {import('./baileys.js').Stanza} stanza */
  function onStanza (stanza) {
    const { tag, attrs } = stanza
    if (UNASKED.includes(tag) && liveness.heard(stanza)) logger.error({ event: 'number_was_deaf', alert: true, tenantId })
    if (tag === 'message') {
      recorder.onStanza(stanza)
      events.onMessage(stanza)
    } else if (tag === 'receipt') {
      events.onReceipts(receiptsIn(stanza, clock.now()))
    } else if (tag === 'chatstate') {
      events.onChatState(stanza)
    } else if (tag === 'ack' && attrs.class === 'message') {
      events.onAck({ id: attrs.id, error: attrs.error })
    }
  }

  /**
   * @param {Socket} current
   * @param {Partial<import('./baileys.js').ConnectionState>} update
   */
  async function onUpdate (current, update) {
    if (update.qr) await onQr(current, update.qr)
    if (update.connection === 'open') onOpen(current)
    if (update.receivedPendingNotifications) onBacklog(current)
    if (update.connection === 'close') await onClose(closeCode(update))
  }

  /**
   * @param {Socket} current
   * @param {string} qr
   */
  async function onQr (current, qr) {
    if (!phone) return show({ state: 'qr', qr })
    if (view.state === 'pairing') return
    show({ state: 'pairing' })
    try {
      show({ state: 'pairing', pairingCode: await current.requestPairingCode(phone) })
    } catch {
      hangUp(current)
    }
  }

  /** @param {Socket} current */
  function onOpen (current) {
    phone = undefined
    openedAt = clock.now()
    liveness.opened()
    show({ state: 'open' })
    journal.hold(tenantId)
    if (isCaughtUp) void pursueUnread(current, startedAt)
    else later(BACKLOG_LIMIT_MS, () => onBacklog(current))
    scheduleProbe(current)
  }

  /**
   * All that WhatsApp delivers again has arrived. What it had delivered to an earlier socket, and that one did not
   * read, has to be asked for.
   *
   * @param {Socket} current
   */
  function onBacklog (current) {
    if (isCaughtUp) return
    isCaughtUp = true
    if (openedAt > 0) void pursueUnread(current, startedAt)
  }

  /** @param {number | undefined} code */
  async function onClose (code) {
    const lasted = openedAt > 0 ? clock.now() - openedAt : 0
    if (openedAt > 0) lostAt = clock.now()
    if (lasted > LASTING_MS) failures = 0
    if (lasted > CONFLICT_FORGOTTEN_MS) conflicts = 0
    const hadCode = view.qr !== undefined || view.pairingCode !== undefined
    if (hadCode) failures = 0
    drop()
    const mine = generation
    const wanted = clock.now() - askedAt < ASKED_WITHIN_MS
    const linked = auth.isLinked()
    const step = nextStep({ code, linked, wanted, hadCode, failures, conflicts, random: clock.random })
    logger.info({ event: 'connection_closed', tenantId, code, nextAttemptMs: step.delayMs, failures })
    failures += 1
    if (code === 440) {
      conflicts += 1
      events.onConflict()
    }
    if (step.state === 'blocked') logger.error({ event: 'number_blocked', alert: true, tenantId, code, why: step.reason })
    if (step.wipe) await auth.wipe()
    if (mine !== generation) return
    const state = view.state === 'deaf' && step.state === 'connecting' ? 'deaf' : step.state
    show({ state, ...(step.reason && { reason: step.reason }) })
    if (step.delayMs !== null) later(step.delayMs, attempt)
  }

  /** @param {Socket} current */
  function scheduleProbe (current) {
    later(PROBE_EVERY_MS, () => probe(current).catch(reportFailure))
  }

  /** @param {Socket} current */
  async function probe (current) {
    const answered = await ping(current, PROBE_LIMIT_MS).catch(() => false)
    if (current !== socket) return
    const verdict = liveness.judge(answered)
    if (verdict === 'alive') return scheduleProbe(current)
    if (verdict === 'too quiet') return renew()
    logger.error({ event: 'number_deaf', alert: true, tenantId })
    show({ state: 'deaf' })
    hangUp(current)
  }

  /** Make the connection anew, to be told what the old one may have kept back. */
  function renew () {
    logger.warn({ event: 'number_too_quiet', tenantId })
    lostAt = clock.now()
    return attempt()
  }

  /**
   * Now and every minute.
   *
   * @param {Socket} current
   * @param {number} beforeMs what arrived later may still be on its way through Baileys
   */
  async function pursueUnread (current, beforeMs) {
    await unread.pursue(current, { beforeMs, isCurrent: () => current === socket }).catch(reportFailure)
    if (current !== socket) return
    later(ASK_AGAIN_EVERY_MS, () => pursueUnread(current, clock.now() - ASK_AGAIN_EVERY_MS))
  }

  /** Make the current socket, if any, and all that waits on it obsolete. */
  function drop () {
    generation += 1
    for (const cancel of timers) cancel()
    timers = []
    const old = socket
    socket = undefined
    openedAt = 0
    liveness.closed()
    if (!old) return
    journal.hold(tenantId)
    events.onClosed()
    farewell(old).catch(reportFailure)
  }

  /**
   * @param {Socket} old
   * @returns {Promise<void>} resolves when its wire is closed
   */
  async function farewell (old) {
    const cancel = clock.after(FAREWELL_MS, () => hangUp(old))
    await old.end(undefined)
    cancel()
  }

  /**
   * Log out on the phone too, where that is possible, and forget the number.
   */
  async function logOut () {
    generation += 1
    if (view.state === 'open') await socket?.logout().catch(reportFailure)
    drop()
    await auth.wipe()
    phone = undefined
    // Told in any case: it may have been disconnected before, and linked.
    if (view.state === 'disconnected') events.onState('disconnected')
    show({ state: 'disconnected' })
  }

  /** Close for good; resolves when the wire is closed. */
  async function stop () {
    const old = socket
    socket = undefined
    drop()
    if (old) await farewell(old)
  }

  /**
   * @param {number} delayMs
   * @param {() => unknown} run
   */
  function later (delayMs, run) {
    timers.push(clock.after(delayMs, run))
  }

  /** @param {View} next */
  function show (next) {
    const changed = next.state !== view.state
    view = next
    if (!changed) return
    logger.info({ event: 'connection_state', tenantId, state: next.state, reason: next.reason })
    events.onState(next.state)
  }

  function unreadable () {
    return `the stored identity cannot be read: ${auth.fault()}; put back a backup, or delete the number and link it again`
  }

  /** @param {Error} error */
  function reportFailure (error) {
    logger.error({ event: 'connection_failure', tenantId, error: error.message })
  }

  /** @returns {State} */
  function state () {
    const away = view.state === 'connecting' && auth.isLinked() && clock.now() - lostAt > AWAY_IS_DEAF_MS
    return away ? 'deaf' : view.state
  }

  /** What an operator sees. Being looked at keeps a QR alive. */
  function look () {
    askedAt = clock.now()
    const me = auth.me()
    return {
      tenantId,
      ...view,
      state: state(),
      ...(me && { me: { pn: normalizeJid(me.pn), ...(me.lid && { lid: normalizeJid(me.lid) }) } })
    }
  }

  return {
    connect,
    logOut,
    stop,
    look,
    state,
    health: () => ({
      tenantId,
      state: state(),
      linked: auth.isLinked(),
      since: view.state === 'open' ? null : lostAt,
      ...(view.reason && { reason: view.reason }),
      ...liveness.health()
    }),
    /** @returns {Socket | undefined} the socket when it can send */
    openSocket: () => view.state === 'open' ? socket : undefined
  }
}
