/**
 * What a number did in the last 24 hours, counted in memory for the ban-risk
 * figure; a restart begins anew.
 *
 * @typedef {'sends' | 'strangers' | 'refused463' | 'refused' | 'conflicts' | 'delivered'} Deed
 * @typedef {Record<Deed, number>} Hour
 * @typedef {{ hours: Map<number, Hour>, underWay: Map<string, number> }} Tally
 *   underWay: message id → sent at, epoch ms
 */

const HOUR_MS = 60 * 60 * 1000
const DAY_H = 24
const DELIVERED_WITHIN_MS = 10 * 60 * 1000
const MOST_UNDER_WAY = 10_000
/** A reach-out time-lock: too many first contacts. */
const TIME_LOCK = 463

/**
 * @param {object} deps
 * @param {(tenantId: string, jid: string) => boolean} deps.hasWritten has this person ever written to us?
 * @param {Pick<import('./clock.js').Clock, 'now'>} deps.clock
 */
export function makeBehaviour ({ hasWritten, clock }) {
  /** @type {Map<string, Tally>} */
  const records = new Map()

  /**
   * @param {string} tenantId
   * @param {{ messageId: string, to: string }} send that WhatsApp has taken
   */
  function onSent (tenantId, { messageId, to }) {
    count(tenantId, 'sends')
    if (!hasWritten(tenantId, to)) count(tenantId, 'strangers')
    const { underWay } = recordOf(tenantId)
    underWay.set(messageId, clock.now())
    if (underWay.size > MOST_UNDER_WAY) underWay.delete(/** @type {string} */ (underWay.keys().next().value))
  }

  /**
   * @param {string} tenantId
   * @param {number} code
   */
  function onRefused (tenantId, code) {
    count(tenantId, code === TIME_LOCK ? 'refused463' : 'refused')
  }

  /**
   * @param {string} tenantId
   * @param {string[]} messageIds that a phone has received
   */
  function onDelivered (tenantId, messageIds) {
    const { underWay } = recordOf(tenantId)
    for (const id of messageIds) {
      if (underWay.delete(id)) count(tenantId, 'delivered')
    }
  }

  /**
   * @param {string} tenantId
   * @param {number} linkedAt epoch ms
   * @returns {import('./ban-risk.js').Behaviour}
   */
  function of (tenantId, linkedAt) {
    const now = clock.now()
    const { hours, underWay } = recordOf(tenantId)
    const thisHour = hourOf(now)
    for (const hour of hours.keys()) {
      if (hour <= thisHour - DAY_H) hours.delete(hour)
    }
    /** @param {Deed} deed */
    const sum = deed => [...hours.values()].reduce((total, hour) => total + hour[deed], 0)
    const sendsLastHour = [thisHour - 1, thisHour].reduce((total, hour) => total + (hours.get(hour)?.sends ?? 0), 0) / 2
    const [oldest, newest] = [now - DAY_H * HOUR_MS, now - DELIVERED_WITHIN_MS]
    const undelivered = [...underWay.values()].filter(at => at > oldest && at < newest)
    return {
      sends: sum('sends'),
      strangers: sum('strangers'),
      refused463: sum('refused463'),
      refused: sum('refused'),
      conflicts: sum('conflicts'),
      delivered: sum('delivered'),
      sendsLastHour,
      undelivered: undelivered.length,
      ageDays: Math.max(0, now - linkedAt) / (DAY_H * HOUR_MS)
    }
  }

  /**
   * @param {string} tenantId
   * @param {Deed} deed
   */
  function count (tenantId, deed) {
    const { hours } = recordOf(tenantId)
    const name = hourOf(clock.now())
    const hour = hours.get(name) ?? { sends: 0, strangers: 0, refused463: 0, refused: 0, conflicts: 0, delivered: 0 }
    hours.set(name, hour)
    hour[deed] += 1
  }

  /** @param {string} tenantId */
  function recordOf (tenantId) {
    const record = records.get(tenantId) ?? { hours: new Map(), underWay: new Map() }
    records.set(tenantId, record)
    return record
  }

  return {
    onSent,
    onRefused,
    onDelivered,
    /** @param {string} tenantId whose link another client has taken over */
    onConflict: tenantId => count(tenantId, 'conflicts'),
    of
  }
}

/** @param {number} atMs */
function hourOf (atMs) {
  return Math.floor(atMs / HOUR_MS)
}
