/**
 * Time, as a dependency, so that tests can turn it by hand.
 *
 * @typedef {object} Clock
 * @property {() => number} now epoch milliseconds
 * @property {(delayMs: number, run: () => unknown) => () => void} after returns how to cancel it
 * @property {() => number} random from 0 up to, not including, 1
 */

/** @type {Clock} */
export const systemClock = {
  now: Date.now,
  random: Math.random,
  after (delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  }
}

/**
 * Exponential back-off with full jitter: any delay up to a bound that doubles
 * with each attempt. Full jitter spreads many clients best (AWS Architecture
 * Blog, "Exponential Backoff And Jitter").
 *
 * @param {{ attempt: number, firstMs: number, capMs: number, random: () => number }} options attempt from 0
 */
export function backOffMs ({ attempt, firstMs, capMs, random }) {
  return random() * Math.min(capMs, firstMs * 2 ** Math.min(attempt, 30))
}
