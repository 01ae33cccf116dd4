import { backOffMs } from './clock.js'

/**
 * What became of our replies, and what else the server should know of a number,
 * told as well as can be: it waits in memory for a while, not on disk.
 *
 * A mapping that is lost this way comes again with the guest's next message, a
 * connection state with the next report of all of them.
 *
 * @typedef {{ id: string, status: 'delivered' | 'read' | 'failed', at: number, code?: number }} Receipt at: epoch ms
 * @typedef {object} ConnectionState
 * @property {string} state
 * @property {number} at epoch ms
 * @property {boolean} [linked]
 * @property {number | null} [since] since when the number has not been open, epoch ms
 * @property {string} [reason]
 * @typedef {import('./baileys.js').Mapping} Mapping
 * @typedef {import('./guest-presence.js').Presence} Presence
 * @typedef {{ receipts: Receipt[], connection?: ConnectionState, mappings?: Mapping[], presence?: Presence[] }} Report
 */

const PATH = '/webhook/whatsapp/status'
const MOST_RECEIPTS = 500
const MOST_MAPPINGS = 500
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
  function report (tenantId, news) {
    pending.set(tenantId, together(pending.get(tenantId) ?? {}, news))
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
    // Who was typing before the pause is of no interest after it.
    pending.set(tenantId, together({ ...payload, presence: [] }, pending.get(tenantId) ?? {}))
    const delayMs = backOffMs({ attempt: attempt++, ...BACK_OFF, random: clock.random })
    await new Promise(resolve => clock.after(delayMs, () => resolve(undefined)))
  }

  /**
   * Tell something that must arrive.
   *
   * @param {string} tenantId
   * @param {{ unreadable: import('./unread.js').Unreadable[] }} payload
   * @returns {Promise<boolean>} false: the server did not take it; tell it again later
   */
  async function deliver (tenantId, payload) {
    try {
      const { status } = await post(PATH, { tenantId, payload })
      return status === 200
    } catch {
      return false
    }
  }

  /**
   * Leave out of what has not been told yet whatever names somebody.
   *
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  function forget (tenantId, isTheirs) {
    const news = pending.get(tenantId)
    if (!news) return
    pending.set(tenantId, {
      ...news,
      mappings: news.mappings?.filter(({ lid, pn }) => !isTheirs(lid) && !isTheirs(pn)),
      presence: news.presence?.filter(({ from }) => !isTheirs(from))
    })
  }

  return { report, deliver, forget }
}

/**
 * Of each guest's typing and each LID only the latest.
 *
 * @param {Partial<Report>} older
 * @param {Partial<Report>} newer
 * @returns {Report}
 */
function together (older, newer) {
  const connection = newer.connection ?? older.connection
  const mappings = latestBy(({ lid }) => lid, older.mappings, newer.mappings).slice(-MOST_MAPPINGS)
  const presence = latestBy(({ from }) => from, older.presence, newer.presence)
  return {
    receipts: [...older.receipts ?? [], ...newer.receipts ?? []].slice(-MOST_RECEIPTS),
    ...(connection && { connection }),
    ...(mappings.length > 0 && { mappings }),
    ...(presence.length > 0 && { presence })
  }
}

/**
 * @template T
 * @param {(item: T) => string} nameOf
 * @param {T[]} [older]
 * @param {T[]} [newer]
 */
function latestBy (nameOf, older = [], newer = []) {
  return [...new Map([...older, ...newer].map(item => [nameOf(item), item])).values()]
}
