/** What the caller of the simulator did wrong; the control API answers with `status`. */
export class SimulatorError extends Error {
  /** @param {number} status HTTP status, 4xx @param {string} message says how to mend it */
  constructor (status, message) {
    super(message)
    this.name = 'SimulatorError'
    this.status = status
  }
}
