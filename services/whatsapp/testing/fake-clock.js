/**
 * A clock that only moves when told to. `random` is always the largest, so that
 * delays are their bounds.
 *
 * @param {number} [startMs] epoch
 */
export function makeFakeClock (startMs = 1_700_000_000_000) {
  let time = startMs
  /** @type {{ at: number, run: () => unknown }[]} */
  let timers = []

  return {
    now: () => time,
    random: () => 1,
    /**
     * @param {number} delayMs
     * @param {() => unknown} run
     */
    after (delayMs, run) {
      const timer = { at: time + delayMs, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(other => other !== timer)
      }
    },
    /** Delays of the timers that are set. */
    pending: () => timers.map(timer => timer.at - time).sort((a, b) => a - b),
    /**
     * Let time pass; what falls due runs in its order, with what it sets off.
     *
     * @param {number} ms
     */
    async advance (ms) {
      const until = time + ms
      for (;;) {
        const [next] = timers.filter(timer => timer.at <= until).sort((a, b) => a.at - b.at)
        if (!next) break
        timers = timers.filter(timer => timer !== next)
        time = Math.max(time, next.at)
        next.run()
        await settle()
      }
      time = until
      await settle()
    }
  }
}

/**
 * Wait, in real time, for what a disk or socket brings about.
 *
 * @param {() => boolean} condition
 * @param {number} [limitMs]
 */
export async function eventually (condition, limitMs = 5000) {
  const until = Date.now() + limitMs
  while (!condition()) {
    if (Date.now() > until) throw new Error(`not in ${limitMs} ms: ${condition}`)
    await new Promise(resolve => setImmediate(resolve))
  }
}

/** Resolves when all that was ready to run has run. */
export async function settle () {
  for (let turn = 0; turn < 5; turn++) await new Promise(resolve => setImmediate(resolve))
}
