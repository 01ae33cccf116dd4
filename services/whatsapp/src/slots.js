/**
 * At most *limit* pieces of work at once; the others wait in line.
 *
 * @param {number} limit
 */
export function makeSlots (limit) {
  /** @type {(() => void)[]} */
  const line = []
  let free = limit

  /**
   * @template T
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  return async work => {
    if (free > 0) free -= 1
    else await new Promise(resolve => line.push(() => resolve(undefined)))
    try {
      return await work()
    } finally {
      const next = line.shift()
      if (next) next()
      else free += 1
    }
  }
}
