import { hasDevices, makeMessageId, sendText } from './baileys.js'
import { Conflict, NoAck, NotConnected, Refused } from './errors.js'
import { isSame } from './ledger.js'

/**
 * Sends text, once per message id, and waits for WhatsApp's own ack: Baileys'
 * `sendMessage` resolves when the bytes are written, which proves nothing.
 *
 * @typedef {object} SendRequest
 * @property {string} to JID, as it came
 * @property {string} text
 * @property {string} [messageId]
 * @property {{ id: string, text: string, fromMe: boolean }} [quoted]
 * @typedef {{ messageId: string, status: 'sent', durationMs: number }} Sent
 * @typedef {{ id: string, error?: string }} Ack
 * @typedef {import('./baileys.js').Socket} Socket
 */

const TIME_LIMIT_MS = 10_000

/**
 * @param {object} deps
 * @param {import('./ledger.js').Ledger} deps.ledger
 * @param {(tenantId: string) => Socket | undefined} deps.findSocket open, or undefined
 * @param {Pick<ReturnType<typeof import('./pace.js').makePace>, 'turn'>} deps.pace
 * @param {(tenantId: string, send: { to: string, messageId: string }) => void} deps.onSent
 * @param {(tenantId: string, code: number) => void} deps.onRefused
 * @param {(tenantId: string, receipt: import('./receipts.js').Receipt) => void} deps.onLateRefusal
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 * @param {number} [deps.timeLimitMs]
 */
export function makeOutbox ({
  ledger, findSocket, pace, onSent, onRefused, onLateRefusal, clock, logger, timeLimitMs = TIME_LIMIT_MS
}) {
  /** @type {Map<string, { tenantId: string, messageId: string, to: string, text: string, result: Promise<Sent> }>} */
  const underWay = new Map()
  /** @type {Map<string, { tenantId: string, ack: (ack: Ack) => void, lost: () => void }>} */
  const unacked = new Map()
  const lastAckAt = /** @type {Map<string, number>} */ (new Map())
  let stopped = false

  /**
   * @param {string} tenantId
   * @param {SendRequest} request
   * @returns {Promise<Sent>}
   * @throws {Conflict | Refused | NotConnected | import('./errors.js').TooFast | NoAck}
   */
  async function send (tenantId, request) {
    const socket = findSocket(tenantId)
    const messageId = request.messageId ?? (socket ? makeMessageId(socket) : '')
    const name = nameOf(tenantId, messageId)
    const before = underWay.get(name) ?? ledger.find(tenantId, messageId)
    if (before && !isSame(before, { ...request, messageId })) {
      throw new Conflict('another text or recipient was sent under this messageId')
    }
    if (before && 'result' in before) return before.result
    if (before?.state === 'sent') return { messageId, status: 'sent', durationMs: before.durationMs ?? 0 }
    if (before?.state === 'refused') throw new Refused(before.code ?? 0)
    if (!socket || stopped) throw new NotConnected()
    const turn = pace.turn(tenantId, request.to)
    const result = transmit(tenantId, turn, { ...request, messageId }).finally(() => underWay.delete(name))
    underWay.set(name, { tenantId, messageId, to: request.to, text: request.text, result })
    return result
  }

  /**
   * @param {string} tenantId
   * @param {Promise<void> | undefined} turn to wait for
   * @param {SendRequest & { messageId: string }} request
   * @returns {Promise<Sent>}
   */
  async function transmit (tenantId, turn, request) {
    const { to, text, messageId } = request
    const startedAt = clock.now()
    let outcome = 'failed'
    try {
      if (turn) await turn
      const socket = findSocket(tenantId)
      if (!socket) throw new NotConnected()
      const noted = ledger.write(tenantId, messageId, { to, text, state: 'sending' })
      await withinLimit(socket, tenantId, request, noted)
      outcome = 'sent'
    } catch (error) {
      outcome = /** @type {Error} */ (error).message
      throw error
    } finally {
      logger.info({ event: 'send', tenantId, messageId, outcome, durationMs: clock.now() - startedAt })
    }
    const durationMs = clock.now() - startedAt
    await ledger.write(tenantId, messageId, { to, text, state: 'sent', durationMs })
    onSent(tenantId, { to, messageId })
    return { messageId, status: 'sent', durationMs }
  }

  /**
   * @param {Socket} socket
   * @param {string} tenantId
   * @param {SendRequest & { messageId: string }} request
   * @param {Promise<void>} noted
   * @returns {Promise<void>}
   */
  function withinLimit (socket, tenantId, request, noted) {
    const name = nameOf(tenantId, request.messageId)
    return new Promise((resolve, reject) => {
      const cancel = clock.after(timeLimitMs, () => settle(() => reject(new NoAck('no ack from WhatsApp in time'))))
      let settled = false
      /** @param {() => void} finish */
      const settle = finish => {
        // A late failure must not end the next attempt under the same id.
        if (settled) return
        settled = true
        cancel()
        unacked.delete(name)
        finish()
      }
      unacked.set(name, {
        tenantId,
        ack: ({ error }) => settle(() => error ? refuse(tenantId, request, error).then(reject, reject) : resolve()),
        // The bytes were on their way: nobody knows how far they got.
        lost: () => settle(() => reject(new NoAck('the connection closed before WhatsApp acknowledged')))
      })
      write(socket, request, noted).catch(error => settle(() => reject(error)))
    })
  }

  /**
   * @param {Socket} socket
   * @param {SendRequest & { messageId: string }} request
   * @param {Promise<void>} noted resolves when the ledger knows of the send. That write is on its way: the step of
   *   the session, which a message waits for before it leaves (see auth-store), is kept after it, by the same store
   */
  async function write (socket, { to, text, messageId, quoted }, noted) {
    const reachable = await hasDevices(socket, to).catch(() => Promise.reject(new NotConnected()))
    // WhatsApp acks a message to nobody like any other.
    if (!reachable) throw new NoAck('WhatsApp names no device of this recipient')
    const sent = sendText(socket, to, { text, messageId, quoted })
      .catch(() => Promise.reject(new NoAck('the send broke off')))
    await Promise.all([noted, sent])
  }

  /**
   * @param {string} tenantId
   * @param {{ to?: string, text?: string, messageId: string }} request
   * @param {string} error
   */
  async function refuse (tenantId, { to, text, messageId }, error) {
    const code = Number(error) || 0
    onRefused(tenantId, code)
    await ledger.write(tenantId, messageId, { to, text, state: 'refused', code })
    return new Refused(code)
  }

  /**
   * WhatsApp's ack of a message, in time or not.
   *
   * @param {string} tenantId
   * @param {Ack} ack
   */
  async function onAck (tenantId, ack) {
    lastAckAt.set(tenantId, clock.now())
    const waiting = unacked.get(nameOf(tenantId, ack.id))
    if (waiting) return waiting.ack(ack)
    const send = ledger.find(tenantId, ack.id)
    if (send?.state !== 'sending') return
    if (!ack.error) return void await ledger.write(tenantId, ack.id, { ...send, state: 'sent' })
    const { code } = await refuse(tenantId, { ...send, messageId: ack.id }, ack.error)
    onLateRefusal(tenantId, { id: ack.id, status: 'failed', at: clock.now(), code })
  }

  /** @param {string} tenantId whose socket has closed: no ack will come over it */
  function onClosed (tenantId) {
    for (const waiting of [...unacked.values()]) {
      if (waiting.tenantId === tenantId) waiting.lost()
    }
  }

  /**
   * Whether a send is under way of those that are meant.
   *
   * @param {string} tenantId
   * @param {(messageId: string, to: string) => boolean} isMeant
   */
  function isSending (tenantId, isMeant) {
    return [...underWay.values()].some(send => send.tenantId === tenantId && isMeant(send.messageId, send.to))
  }

  /** Take no more sends; resolves when those under way have ended. */
  async function stop () {
    stopped = true
    await Promise.allSettled([...underWay.values()].map(send => send.result))
  }

  return {
    send,
    isSending,
    onAck,
    onClosed,
    stop,
    /** @param {string} tenantId */
    lastAckAt: tenantId => lastAckAt.get(tenantId) ?? null
  }
}

/**
 * @param {string} tenantId
 * @param {string} messageId
 */
function nameOf (tenantId, messageId) {
  return `${tenantId} ${messageId}`
}
