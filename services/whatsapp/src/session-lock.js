/**
 * Keeps reading and writing apart: Signal sessions move with every message, in
 * either direction, and a step that began from an older one would undo the other.
 *
 * Encrypting for several devices may go side by side, each has a session of its
 * own. Reading a message goes alone: what it has decrypted is committed with it.
 * First come, first served.
 *
 * @typedef {{ isAlone: boolean, start: () => void }} Waiting
 */
export function makeSessionLock () {
  /** @type {Waiting[]} */
  const line = []
  let together = 0
  let isTaken = false

  /**
   * Run *work* beside others of its kind.
   *
   * @template T
   * @param {() => Promise<T>} work
   */
  const share = work => hold(false, work)

  /**
   * Run *work* with nothing beside it.
   *
   * @template T
   * @param {() => Promise<T>} work
   */
  const alone = work => hold(true, work)

  /**
   * @template T
   * @param {boolean} isAlone
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   */
  async function hold (isAlone, work) {
    await new Promise(resolve => {
      line.push({ isAlone, start: () => resolve(undefined) })
      admit()
    })
    try {
      return await work()
    } finally {
      if (isAlone) isTaken = false
      else together -= 1
      admit()
    }
  }

  function admit () {
    while (line.length > 0 && !isTaken && (!line[0].isAlone || together === 0)) {
      const { isAlone, start } = /** @type {Waiting} */ (line.shift())
      if (isAlone) isTaken = true
      else together += 1
      start()
    }
  }

  return { share, alone }
}
