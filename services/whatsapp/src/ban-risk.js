/**
 * How much a number's own behaviour looks like what WhatsApp bans, 0 to 1. Pure.
 *
 * Nobody outside knows WhatsApp's rules. The signs are those that people who
 * were banned report (463 above all), the weights are our judgement: the figure
 * is for comparing a number with itself and for an alarm, not a probability.
 *
 *     risk = 1 − Π (1 − weight × sign)
 *
 * with each sign from 0 to 1, so that any one of them alone raises the figure
 * up to its weight, and none lowers it.
 *
 * @typedef {object} Behaviour of the last 24 hours
 * @property {number} sends
 * @property {number} strangers sends to people who have never written
 * @property {number} refused463 refused for a reach-out time-lock
 * @property {number} refused refused for other reasons
 * @property {number} conflicts times that another client took the link over (440)
 * @property {number} sendsLastHour
 * @property {number} undelivered sends older than ten minutes that no phone has received
 * @property {number} delivered
 * @property {number} ageDays since the number was linked here
 */

const FEW = 10
const WEIGHTS = { locked: 0.8, refused: 0.4, strangers: 0.6, haste: 0.4, conflicts: 0.2, undelivered: 0.5 }

/** Shares at which a sign begins and is full. */
const REFUSED = { from: 0, to: 0.1 }
const STRANGERS = { from: 0.05, to: 0.5 }
// Phones that are off overnight are no sign.
const UNDELIVERED = { from: 0.3, to: 0.8 }
/** Sends an hour that a new number may make without notice, and what each day adds, up to the tenth. */
const HOURLY = { fresh: 60, perDay: 60, days: 10 }

/**
 * @param {Behaviour} behaviour
 * @returns {number} 0 to 1, rounded to hundredths
 */
export function banRisk (behaviour) {
  const signs = signsOf(behaviour)
  const calm = Object.entries(WEIGHTS).reduce((product, [name, weight]) =>
    product * (1 - weight * signs[/** @type {keyof typeof signs} */ (name)]), 1)
  return Math.round((1 - calm) * 100) / 100
}

/** @param {Behaviour} behaviour */
function signsOf (behaviour) {
  const { sends, strangers, refused463, refused, conflicts, sendsLastHour, undelivered, delivered, ageDays } = behaviour
  const allowed = HOURLY.fresh + HOURLY.perDay * Math.min(Math.max(0, ageDays), HOURLY.days)
  return {
    locked: saturating(refused463),
    refused: within(REFUSED, shareOf(refused, sends)),
    strangers: within(STRANGERS, shareOf(strangers, sends)),
    haste: within({ from: 1, to: 3 }, sendsLastHour / allowed),
    conflicts: saturating(conflicts),
    undelivered: within(UNDELIVERED, shareOf(undelivered, undelivered + delivered))
  }
}

/** The first counts most. @param {number} count */
function saturating (count) {
  return 1 - 2 ** -count
}

/**
 * Of very few a share says nothing, so there are at least *FEW*.
 *
 * @param {number} part
 * @param {number} whole
 */
function shareOf (part, whole) {
  return part / Math.max(whole, FEW)
}

/**
 * @param {{ from: number, to: number }} range
 * @param {number} value
 */
function within ({ from, to }, value) {
  return Math.min(1, Math.max(0, (value - from) / (to - from)))
}
