/**
 * @typedef {{seq: number, at: number, type: string, pn: string} & Record<string, unknown>} SimulatorEvent
 *   `at` in milliseconds since 1970; `pn` is the number of the host or guest that it is about
 * @typedef {{after: number, timeoutMs: number, type?: string, pn?: string}} Question
 */

const KEPT = 100_000

/** All that happened, numbered; whoever asks too early waits. */
export class EventLog {
  constructor () {
    /** @type {SimulatorEvent[]} */
    this.events = []
    this.seq = 0
    /** @type {Set<() => void>} */
    this.waiting = new Set()
  }

  /** @param {string} type @param {string} pn @param {Record<string, unknown>} [facts] */
  add (type, pn, facts = {}) {
    this.events.push({ seq: ++this.seq, at: Date.now(), type, pn, ...facts })
    if (this.events.length > KEPT) this.events.shift()
    for (const wake of [...this.waiting]) wake()
  }

  /**
   * @param {Question} question
   * @returns {Promise<{events: SimulatorEvent[], next: number}>} events after `after`, at once if there are any,
   *   else as soon as one comes, else none after the timeout; ask on with `next`
   */
  read (question) {
    const found = this.find(question)
    if (found.events.length || question.timeoutMs <= 0) return Promise.resolve(found)
    return new Promise(resolve => {
      const finish = () => {
        clearTimeout(timer)
        this.waiting.delete(look)
        resolve(this.find(question))
      }
      const look = () => {
        if (this.find(question).events.length) finish()
      }
      const timer = setTimeout(finish, question.timeoutMs)
      this.waiting.add(look)
    })
  }

  /** @param {Question} question */
  find ({ after, type, pn }) {
    const first = this.events[0]?.seq ?? this.seq + 1
    const later = this.events.slice(Math.max(0, after + 1 - first))
    const events = later.filter(event => (!type || event.type === type) && (!pn || event.pn === pn))
    return { events, next: this.seq }
  }
}
