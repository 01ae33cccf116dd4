import { backOffMs } from './clock.js'
import { makeSlots } from './slots.js'

/**
 * Hands journaled messages to the server: one in flight per chat, in the
 * journal's order, chats side by side.
 *
 * @typedef {import('./journal.js').Waiting} Waiting
 * @typedef {'judged' | 'aside' | 'again' | 'unreachable' | 'unauthorized'} Verdict
 *   aside: the server will never take it; again: it failed on this message;
 *   unreachable, unauthorized: nothing to do with this message
 * @typedef {object} Lane the messages of one chat that wait
 * @property {Waiting[]} queue
 * @property {boolean} running
 * @property {{ wake: () => void, verdict: Verdict } | null} pause
 */

const PATH = '/webhook/whatsapp/incoming'
const MOST_AT_ONCE = 16
const BACK_OFF = { firstMs: 250, capMs: 15_000 }
/** A wrong secret is mended by a person, not by trying harder. */
const UNAUTHORIZED_BACK_OFF = { firstMs: 15_000, capMs: 60_000 }
const FINAL = [400, 404, 413, 422]
const SERVER_IS_AWAY = [429, 502, 503, 504]

/**
 * @param {object} deps
 * @param {import('./server-client.js').Post} deps.post
 * @param {Pick<import('./journal.js').Journal, 'read' | 'strike' | 'setAside'>} deps.journal
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeForwarder ({ post, journal, clock, logger }) {
  /** @type {Map<string, Lane>} */
  const lanes = new Map()
  /** @type {Set<Promise<void>>} */
  const running = new Set()
  const inSlot = makeSlots(MOST_AT_ONCE)
  let stopped = false

  /** @param {Waiting} waiting */
  function enqueue (waiting) {
    const name = `${waiting.tenantId} ${waiting.chat}`
    const lane = lanes.get(name) ?? { queue: [], running: false, pause: null }
    lanes.set(name, lane)
    lane.queue.push(waiting)
    if (!lane.running) start(lane, name)
  }

  /**
   * @param {Lane} lane
   * @param {string} name
   */
  function start (lane, name) {
    lane.running = true
    const run = drain(lane).then(() => {
      running.delete(run)
      // Something may have come in while this was on its way here.
      if (lane.queue.length > 0 && !stopped) start(lane, name)
      else lanes.delete(name)
    })
    running.add(run)
  }

  /** @param {Lane} lane */
  async function drain (lane) {
    let attempt = 0
    while (lane.queue.length > 0 && !stopped) {
      const verdict = await inSlot(() => deliver(lane.queue[0]).catch(stall))
      if (verdict === 'judged' || verdict === 'aside') {
        lane.queue.shift()
        attempt = 0
      } else {
        await pause(lane, verdict, attempt++)
      }
    }
  }

  /**
   * @param {Waiting} waiting
   * @returns {Promise<Verdict>}
   */
  async function deliver ({ tenantId, sequence }) {
    const message = journal.read(tenantId, sequence)
    if (!message || stopped) return 'judged'
    const { verdict, why } = await ask(tenantId, message)
    const ids = { tenantId, sequence, messageId: message.key.id }
    if (verdict === 'judged') await journal.strike(tenantId, sequence)
    else if (verdict === 'aside') await journal.setAside(tenantId, sequence, why)
    report(verdict, { ...ids, why })
    if (verdict !== 'unreachable' && verdict !== 'unauthorized') resumeAll()
    return verdict
  }

  /**
   * @param {string} tenantId
   * @param {object} message
   * @returns {Promise<{ verdict: Verdict, why: string }>}
   */
  async function ask (tenantId, message) {
    try {
      return judge(await post(PATH, { tenantId, payload: { messages: [message] } }))
    } catch (error) {
      const { code, name } = /** @type {NodeJS.ErrnoException} */ (error)
      return { verdict: 'unreachable', why: code ? String(code) : name }
    }
  }

  /**
   * @param {Verdict} verdict
   * @param {Record<string, unknown>} fields
   */
  function report (verdict, fields) {
    if (verdict === 'aside') logger.error({ event: 'message_set_aside', alert: true, ...fields })
    else if (verdict === 'unauthorized') logger.error({ event: 'server_refuses_secret', alert: true, ...fields })
    else if (verdict === 'judged') logger.info({ event: 'message_forwarded', ...fields })
    else logger.warn({ event: 'forward_failed', ...fields })
  }

  /**
   * @param {Lane} lane
   * @param {Verdict} verdict
   * @param {number} attempt
   * @returns {Promise<void>}
   */
  function pause (lane, verdict, attempt) {
    if (stopped) return Promise.resolve()
    const bounds = verdict === 'unauthorized' ? UNAUTHORIZED_BACK_OFF : BACK_OFF
    return new Promise(resolve => {
      const wake = () => {
        cancel()
        lane.pause = null
        resolve()
      }
      const cancel = clock.after(backOffMs({ attempt, ...bounds, random: clock.random }), wake)
      lane.pause = { wake, verdict }
    })
  }

  /** The server answers again. A message that it choked on still waits its time. */
  function resumeAll () {
    for (const { pause } of lanes.values()) {
      if (pause && pause.verdict !== 'again') pause.wake()
    }
  }

  /**
   * @param {Error} error the journal itself failed, a full disk perhaps
   * @returns {Verdict}
   */
  function stall (error) {
    logger.error({ event: 'forwarder_stalled', alert: true, error: error.message })
    return 'again'
  }

  /** Take up nothing more; resolves when what is on its way has been answered. */
  async function stop () {
    stopped = true
    for (const { pause } of lanes.values()) pause?.wake()
    await Promise.allSettled(running)
  }

  return { enqueue, stop }
}

/**
 * What the server's answer means for the one message that was posted.
 *
 * @param {import('./server-client.js').Answer} answer
 * @returns {{ verdict: Verdict, why: string }}
 */
export function judge ({ status, body }) {
  const why = `HTTP ${status}`
  if (FINAL.includes(status)) return { verdict: 'aside', why }
  if (status === 401 || status === 403) return { verdict: 'unauthorized', why }
  if (SERVER_IS_AWAY.includes(status)) return { verdict: 'unreachable', why }
  if (status !== 200 || typeof body?.accepted !== 'number') return { verdict: 'again', why }
  const [rejected] = body.rejected ?? []
  return rejected ? { verdict: 'aside', why: String(rejected.why) } : { verdict: 'judged', why }
}
