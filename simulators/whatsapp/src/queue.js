/**
 * One job after the other, in the order of asking; a job that fails does not stop the next.
 *
 * @returns {<T>(job: () => T | Promise<T>) => Promise<T>}
 */
export function makeQueue () {
  /** @type {Promise<unknown>} */
  let last = Promise.resolve()
  return job => {
    const result = last.then(job)
    last = result.catch(() => {})
    return result
  }
}
