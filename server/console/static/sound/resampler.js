/** From one sample rate to another, block by block: a windowed sinc, one set of taps for each phase. */

// Zero crossings on each side of the middle: 2 x 12 taps at the lower of the two rates.
const CROSSINGS = 12
// The pass band ends a little below half of the lower rate, so that the slope ends near it.
const PASS = 0.92

export class Resampler {
  #step
  #phases
  #half
  #taps
  /** Input that is still needed. */
  #held
  /** Of the next output sample: the first input that it needs, counted in what is held, and its phase. */
  #place = 0
  #phase = 0

  /**
   * @param {number} from in Hz, a whole number
   * @param {number} to in Hz, a whole number
   */
  constructor (from, to) {
    const shared = greatestShared(from, to)
    this.#step = from / shared
    this.#phases = to / shared
    const cutoff = PASS * Math.min(1, to / from)
    this.#half = Math.ceil(CROSSINGS / cutoff)
    this.#taps = Array.from({ length: this.#phases }, (_, phase) => taps(phase / this.#phases, this.#half, cutoff))
    // Silence before the first sample.
    this.#held = new Float32Array(this.#half - 1)
  }

  /**
   * @param {Float32Array} samples
   * @returns {Float32Array} what can be told from all samples so far
   */
  push (samples) {
    const input = new Float32Array(this.#held.length + samples.length)
    input.set(this.#held)
    input.set(samples, this.#held.length)
    const output = []
    while (this.#place + 2 * this.#half <= input.length) {
      output.push(this.#sum(input))
      this.#phase += this.#step
      this.#place += Math.floor(this.#phase / this.#phases)
      this.#phase %= this.#phases
    }
    const used = Math.min(this.#place, input.length)
    this.#held = input.slice(used)
    this.#place -= used
    return Float32Array.from(output)
  }

  /** @param {Float32Array} input */
  #sum (input) {
    const weights = this.#taps[this.#phase]
    let sum = 0
    for (let at = 0; at < weights.length; at++) sum += weights[at] * input[this.#place + at]
    return sum
  }
}

/**
 * The weights of the inputs around a moment that lies *fraction* behind the middle one; they add up to 1.
 * @param {number} fraction
 * @param {number} half
 * @param {number} cutoff of the input's half rate
 */
function taps (fraction, half, cutoff) {
  const weights = Float64Array.from({ length: 2 * half }, (_, at) => {
    const distance = at - (half - 1) - fraction
    return sinc(distance * cutoff) * window(distance / half)
  })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map(weight => weight / total)
}

/** @param {number} x */
function sinc (x) {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x)
}

/** Blackman's window. @param {number} x -1 to 1 */
function window (x) {
  return Math.abs(x) >= 1 ? 0 : 0.42 + 0.5 * Math.cos(Math.PI * x) + 0.08 * Math.cos(2 * Math.PI * x)
}

/** @param {number} one @param {number} other @returns {number} */
function greatestShared (one, other) {
  return other === 0 ? one : greatestShared(other, one % other)
}
