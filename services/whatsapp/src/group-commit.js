/**
 * The writes of one number, in order: what is asked for while a group is on
 * its way to the database makes up the next one.
 *
 * @typedef {{ table: string, key: any, value: any }} Change value undefined: removed
 * @typedef {{ get: (id: string) => Change | undefined, set: (id: string, change: Change) => void }} Changes
 *   by table and key
 * @typedef {object} Task
 * @property {(changes: Changes) => unknown} run
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @typedef {ReturnType<typeof makeGroupCommit>} GroupCommit
 */

const MOST_TASKS = 500

/**
 * @param {object} deps
 * @param {(changes: Change[]) => Promise<void>} deps.save all or nothing
 * @param {(error: unknown) => boolean} deps.isRefusal what *save* will never take, as against a fence that has fallen
 * @param {(error: unknown) => void} deps.onBroken nothing more will be saved; what waits is rejected by `close`
 */
export function makeGroupCommit ({ save, isRefusal, onBroken }) {
  /** @type {Task[]} */
  let waiting = []
  /** @type {Task[]} */
  let underWay = []
  /** @type {Promise<void>} */
  let saving = Promise.resolve()
  let isSaving = false
  let isBroken = false
  /** @type {Error | undefined} */
  let closedBy

  /**
   * @template T
   * @param {(changes: Changes) => T} run notes its changes; sees those of the group before it
   * @returns {Promise<T>} resolves when they are saved
   */
  function add (run) {
    if (closedBy) return Promise.reject(closedBy)
    return new Promise((resolve, reject) => {
      waiting.push({ run, resolve, reject })
      if (!isSaving) saving = drain()
    })
  }

  async function drain () {
    isSaving = true
    // What is asked for in this very tick goes together.
    await undefined
    while (waiting.length > 0 && !isBroken) {
      underWay = waiting.splice(0, MOST_TASKS)
      await commit()
    }
    isSaving = false
  }

  async function commit () {
    const { changes, settlements } = perform(underWay)
    try {
      if (changes.length > 0) await save(changes)
    } catch (error) {
      if (!isRefusal(error)) return giveUp(error)
      settlements.length = 0
      for (const { reject } of underWay) reject(error)
    }
    underWay = []
    for (const settle of settlements) settle()
  }

  /** @param {unknown} error */
  function giveUp (error) {
    // Whoever has given it up already need not hear of it, and may have begun anew.
    if (isBroken) return
    isBroken = true
    onBroken(error)
  }

  /**
   * Take no more; resolves when what was asked for is saved or given up.
   *
   * @param {Error} reason what the rest is rejected with
   */
  async function close (reason) {
    closedBy = reason
    if (!isBroken) await saving
    abandon(reason)
  }

  /**
   * Give up what is not saved, at once.
   *
   * @param {Error} reason
   */
  function abandon (reason) {
    closedBy = reason
    isBroken = true
    const left = [...underWay, ...waiting]
    underWay = []
    waiting = []
    for (const { reject } of left) reject(reason)
  }

  return { add, close, abandon }
}

/**
 * @param {Task[]} tasks
 * @returns {{ changes: Change[], settlements: (() => void)[] }} settlements tell each how it went, once all is saved
 */
function perform (tasks) {
  /** @type {Map<string, Change>} */
  const all = new Map()
  const settlements = tasks.map(({ run, resolve, reject }) => {
    /** @type {Map<string, Change>} */
    const own = new Map()
    try {
      const result = run({ get: id => own.get(id) ?? all.get(id), set: (id, change) => own.set(id, change) })
      own.forEach((change, id) => all.set(id, change))
      return () => resolve(result)
    } catch (error) {
      return () => reject(error)
    }
  })
  return { changes: [...all.values()], settlements }
}
