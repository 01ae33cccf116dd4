/**
 * At which hours of the week a number usually hears something, so that a quiet
 * line can be told from one that has gone deaf.
 *
 * Guests write in bursts; so not messages are counted but stretches of ten
 * minutes in which anything came. Each of the week's 168 hours keeps the average
 * of its last weeks, an older week counting less. Only hours through which the
 * number was connected count.
 *
 * @typedef {object} History as it is kept
 * @property {number} since when the number was first connected, epoch ms
 * @property {number[]} lively [hour of the week] → stretches with something in them, weighted sum
 * @property {number[]} weeks [hour of the week] → weights of the weeks that were heard
 */

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const STRETCH_MS = 10 * MINUTE_MS
const WEEK_H = 7 * 24
const OLDER_WEEK_COUNTS = 0.75

/**
 * @param {object} deps
 * @param {() => History | undefined} deps.load
 * @param {(history: History) => void} deps.save
 * @param {Pick<import('./clock.js').Clock, 'now'>} deps.clock
 */
export function makeRhythm ({ load, save, clock }) {
  /** @type {History | undefined} */
  let history
  /**
   * The hour that is being listened to, from its beginning.
   *
   * @type {{ hour: number, stretches: Set<number> } | undefined}
   */
  let current

  /** The number is connected, and hears. */
  function begin () {
    read()
    // An hour that began without us says nothing.
    current = { hour: hourOf(clock.now()) + 1, stretches: new Set() }
  }

  function end () {
    current = undefined
  }

  /** Something came that nobody had asked for. */
  function heard () {
    tick()
    if (current && hourOf(clock.now()) === current.hour) current.stretches.add(Math.floor(clock.now() / STRETCH_MS))
  }

  /** Close the hours that have passed. */
  function tick () {
    if (!current || hourOf(clock.now()) <= current.hour) return
    const kept = read()
    for (; current.hour < hourOf(clock.now()); current = { hour: current.hour + 1, stretches: new Set() }) {
      const slot = current.hour % WEEK_H
      kept.lively[slot] = kept.lively[slot] * OLDER_WEEK_COUNTS + current.stretches.size
      kept.weeks[slot] = kept.weeks[slot] * OLDER_WEEK_COUNTS + 1
    }
    save(kept)
  }

  /**
   * How many lively stretches there usually are in this time; 0 for hours that were never listened to.
   *
   * @param {number} fromMs
   * @param {number} untilMs
   */
  function expected (fromMs, untilMs) {
    const { lively, weeks } = read()
    let sum = 0
    for (let hour = hourOf(fromMs); hour <= hourOf(untilMs); hour++) {
      const slot = hour % WEEK_H
      if (weeks[slot] === 0) continue
      const part = Math.min(untilMs, (hour + 1) * HOUR_MS) - Math.max(fromMs, hour * HOUR_MS)
      sum += lively[slot] / weeks[slot] * part / HOUR_MS
    }
    return sum
  }

  /** @returns {History} */
  function read () {
    if (history) return history
    history = load()
    if (!history) {
      history = { since: clock.now(), lively: new Array(WEEK_H).fill(0), weeks: new Array(WEEK_H).fill(0) }
      save(history)
    }
    return history
  }

  return {
    begin,
    end,
    heard,
    tick,
    expected,
    /** When the number was first connected, epoch ms; undefined: never. */
    since: () => (history ?? load())?.since,
    isLearned: () => clock.now() - read().since >= WEEK_H * HOUR_MS
  }
}

/** @param {number} atMs */
function hourOf (atMs) {
  return Math.floor(atMs / HOUR_MS)
}
