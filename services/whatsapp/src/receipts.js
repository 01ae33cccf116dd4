import { backOffMs } from './clock.js'

/**
 * What became of our replies, told to the server as well as can be: receipts
 * and connection states wait in memory for a while, not on disk.
 *
 * @typedef {{ id: string, status: 'delivered' | 'read' | 'failed', at: number, code?: number }} Receipt at: epoch ms
 * @typedef {{ state: string, at: number }} ConnectionState
 * @typedef {{ receipts: Receipt[], connection?: ConnectionState }} Report
 */

const PATH = '/webhook/whatsapp/status'
const MOST_RECEIPTS = 500
const MOST_ATTEMPTS = 6
const BACK_OFF = { firstMs: 500, capMs: 15_000 }

/** The `type` of a receipt stanza → what it says; none means delivered. */
const STATUS_OF_TYPE = new Map([
  ['', 'delivered'], ['inactive', 'delivered'], ['read', 'read'], ['played', 'read']
])

/**
 * @param {{ tag: string, attrs: Record<string, string>, content?: any }} stanza
 * @param {number} nowMs
 * @returns {Receipt[]}
 */
export function receiptsIn ({ tag, attrs, content }, nowMs) {
  const status = STATUS_OF_TYPE.get(attrs.type ?? '')
  if (tag !== 'receipt' || !status) return []
  const list = Array.isArray(content) ? content.find(child => child.tag === 'list') : undefined
  const more = Array.isArray(list?.content) ? list.content.map((/** @type {any} */ item) => item.attrs.id) : []
  const at = attrs.t ? Number(attrs.t) * 1000 : nowMs
  return [attrs.id, ...more].map(id => ({ id, status: /** @type {Receipt['status']} */ (status), at }))
}

/**
 * @param {object} deps
 * @param {import('./server-client.js').Post} deps.post
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeReporter ({ post, clock, logger }) {
  /** @type {Map<string, Report>} tenant → what it has not been told yet */
  const pending = new Map()
  let sending = false
  let attempt = 0

  /**
   * @param {string} tenantId
   * @param {Partial<Report>} news
   */
  function report (tenantId, { receipts = [], connection }) {
    const known = pending.get(tenantId)
    const latest = connection ?? known?.connection
    pending.set(tenantId, {
      receipts: [...known?.receipts ?? [], ...receipts].slice(-MOST_RECEIPTS),
      ...(latest && { connection: latest })
    })
    if (!sending) void flush()
  }

  async function flush () {
    sending = true
    while (pending.size > 0 && attempt < MOST_ATTEMPTS) {
      const [tenantId, payload] = /** @type {[string, Report]} */ (pending.entries().next().value)
      pending.delete(tenantId)
      if (await tell(tenantId, payload)) attempt = 0
      else await backOff(tenantId, payload)
    }
    if (attempt === MOST_ATTEMPTS) pending.clear()
    attempt = 0
    sending = false
  }

  /**
   * @param {string} tenantId
   * @param {Report} payload
   */
  async function tell (tenantId, payload) {
    try {
      const { status } = await post(PATH, { tenantId, payload })
      if (status !== 200) logger.warn({ event: 'status_report_refused', tenantId, status })
      return status < 500 && status !== 429
    } catch {
      return false
    }
  }

  /**
   * @param {string} tenantId
   * @param {Report} payload
   */
  async function backOff (tenantId, payload) {
    const newer = pending.get(tenantId)
    const connection = newer?.connection ?? payload.connection
    pending.set(tenantId, {
      receipts: [...payload.receipts, ...newer?.receipts ?? []].slice(-MOST_RECEIPTS),
      ...(connection && { connection })
    })
    const delayMs = backOffMs({ attempt: attempt++, ...BACK_OFF, random: clock.random })
    await new Promise(resolve => clock.after(delayMs, () => resolve(undefined)))
  }

  return { report }
}
