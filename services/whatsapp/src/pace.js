import { TooFast } from './errors.js'

/**
 * How fast a number may send. Whoever sends at WhatsApp's speed of machines
 * looks like one; whoever answers guests hardly ever comes near these limits.
 *
 * A bucket of tokens for each number and one for each chat: a send takes one of
 * both, at once while there are any. Only when one of them is empty does a send
 * wait, for the token that comes next, and a little longer by chance. A number
 * that was linked lately starts with smaller buckets and grows into the full
 * ones over days.
 *
 * @typedef {object} Limits
 * @property {number} sendsPerMinute of a number that is warm; 0: no limits at all
 * @property {number} warmUpDays from the first day's share to the whole
 * @typedef {{ name: string, perMinute: number, burst: number }} Limit of one bucket
 * @typedef {{ tokens: number, at: number }} Bucket at: when `tokens` was right, epoch ms
 */

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const SHARE_OF_FIRST_DAY = 0.15
/** One chat: a guest reads no faster. */
const PER_CHAT = { perMinute: 30, burst: 15 }
/** Of the wait, added by chance. */
const JITTER = 0.25
/** With WhatsApp's ten seconds for the ack it stays within what the server waits for us. */
export const LONGEST_WAIT_MS = 3000
const MOST_BUCKETS = 20_000

/**
 * @param {object} deps
 * @param {Limits} deps.limits
 * @param {(tenantId: string) => number | undefined} deps.linkedAt epoch ms; undefined: just now
 * @param {import('./clock.js').Clock} deps.clock
 */
export function makePace ({ limits, linkedAt, clock }) {
  /** @type {Map<string, Bucket>} by tenant, or tenant and chat; the longest untouched first */
  const buckets = new Map()

  /**
   * Take the next turn to send.
   *
   * @param {string} tenantId
   * @param {string} to
   * @returns {Promise<void> | undefined} undefined: go ahead
   * @throws {TooFast} the turn would come too late; none was taken
   */
  function turn (tenantId, to) {
    if (limits.sendsPerMinute === 0) return undefined
    const own = { name: tenantId, ...limitOf(tenantId) }
    const chat = { name: `${tenantId} ${to}`, ...PER_CHAT }
    const waitMs = Math.max(waitFor(own), waitFor(chat))
    if (waitMs > LONGEST_WAIT_MS) throw new TooFast(Math.ceil(waitMs / 1000))
    take(own)
    take(chat)
    if (waitMs === 0) return undefined
    return new Promise(resolve => clock.after(waitMs * (1 + JITTER * clock.random()), () => resolve()))
  }

  /** @param {string} tenantId */
  function limitOf (tenantId) {
    const ageMs = clock.now() - (linkedAt(tenantId) ?? clock.now())
    const perMinute = limits.sendsPerMinute * warmth(ageMs, limits.warmUpDays)
    return { perMinute, burst: Math.max(1, perMinute) }
  }

  /** @param {Limit} limit */
  function waitFor (limit) {
    const { tokens } = fill(limit)
    return tokens >= 1 ? 0 : (1 - tokens) * MINUTE_MS / limit.perMinute
  }

  /** Beyond what is there, a turn that has been promised. @param {Limit} limit */
  function take (limit) {
    fill(limit).tokens -= 1
  }

  /** @param {Limit} limit */
  function fill ({ name, perMinute, burst }) {
    const now = clock.now()
    const bucket = buckets.get(name) ?? { tokens: burst, at: now }
    // A clock that was set back must not drain it.
    const passed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(burst, bucket.tokens + passed * perMinute / MINUTE_MS)
    bucket.at = now
    buckets.delete(name)
    buckets.set(name, bucket)
    if (buckets.size > MOST_BUCKETS) buckets.delete(/** @type {string} */ (buckets.keys().next().value))
    return bucket
  }

  /**
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  function forget (tenantId, isTheirs) {
    for (const name of buckets.keys()) {
      const [tenant, to = ''] = name.split(' ')
      if (tenant === tenantId && isTheirs(to)) buckets.delete(name)
    }
  }

  return { turn, forget }
}

/**
 * The share of the full pace that a number may go, *ageMs* after it was linked.
 *
 * @param {number} ageMs
 * @param {number} warmUpDays
 */
export function warmth (ageMs, warmUpDays) {
  if (warmUpDays <= 0) return 1
  const grown = Math.min(1, Math.max(0, ageMs / (warmUpDays * DAY_MS)))
  return SHARE_OF_FIRST_DAY + (1 - SHARE_OF_FIRST_DAY) * grown
}
