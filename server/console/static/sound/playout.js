/** What waits to sound: samples and marks in order. */

/**
 * Audio comes in uneven pieces: after a gap a little is gathered before it sounds. What sounds has no place in the
 * worklet's time before it is read, so a mark is reached when the sample before it has been handed out.
 */
export class Playout {
  /** @type {Array<Float32Array | number>} samples, or the number of a mark */
  #queue = []
  /** How much of the first samples has sounded. */
  #sounded = 0
  #waiting = 0
  #gathered = 0
  #isGathering = true
  #cushion

  /** @param {number} cushion samples that are gathered after a gap, or waited for so long */
  constructor (cushion) {
    this.#cushion = cushion
  }

  /** @param {Float32Array} samples */
  push (samples) {
    if (samples.length === 0) return
    this.#queue.push(samples)
    this.#waiting += samples.length
  }

  /** @param {number} number told by `read` once all before has been handed out */
  mark (number) {
    this.#queue.push(number)
  }

  /** Forget all, marks too. */
  clear () {
    this.#queue = []
    this.#waiting = 0
    this.#rest()
  }

  /**
   * @param {Float32Array} out is filled; with silence where there is nothing
   * @returns {{sounded: number, reached: number[]}} how many samples were there, and the marks passed
   */
  read (out) {
    out.fill(0)
    /** @type {number[]} */
    const reached = []
    if (this.#gathers(out.length)) return { sounded: 0, reached: this.#passMarks(reached) }
    let filled = 0
    while (filled < out.length) {
      this.#passMarks(reached)
      const samples = this.#queue[0]
      if (!(samples instanceof Float32Array)) break
      const part = samples.subarray(this.#sounded, this.#sounded + out.length - filled)
      out.set(part, filled)
      filled += part.length
      this.#sounded += part.length
      this.#waiting -= part.length
      if (this.#sounded === samples.length) {
        this.#queue.shift()
        this.#sounded = 0
      }
    }
    this.#passMarks(reached)
    if (this.#waiting === 0) this.#rest()
    return { sounded: filled, reached }
  }

  /** Whether it is too early to sound. @param {number} passing samples of time */
  #gathers (passing) {
    if (!this.#isGathering) return false
    if (this.#waiting > 0) this.#gathered += passing
    this.#isGathering = this.#waiting < this.#cushion && this.#gathered < this.#cushion
    return this.#isGathering
  }

  /** @param {number[]} reached */
  #passMarks (reached) {
    while (typeof this.#queue[0] === 'number') reached.push(/** @type {number} */ (this.#queue.shift()))
    return reached
  }

  #rest () {
    this.#sounded = 0
    this.#gathered = 0
    this.#isGathering = true
  }
}
