/** Cuts the microphone's samples into the telephone's frames. */

import { encode } from './mulaw.js'

export const RATE_HZ = 8000
// 20 ms.
export const FRAME_BYTES = 160

/** @typedef {{bytes: Uint8Array<ArrayBuffer>, level: number}} Frame `level` is the loudest sample, 0 to 1. */

export class Framer {
  #bytes = new Uint8Array(FRAME_BYTES)
  #filled = 0
  #level = 0

  /**
   * @param {Float32Array} samples at 8 kHz, -1 to 1
   * @returns {Frame[]} the frames that are full with them
   */
  push (samples) {
    /** @type {Frame[]} */
    const frames = []
    for (const sample of samples) {
      this.#bytes[this.#filled++] = encode(sample)
      this.#level = Math.max(this.#level, Math.abs(sample))
      if (this.#filled === FRAME_BYTES) frames.push(this.#take())
    }
    return frames
  }

  #take () {
    const frame = { bytes: this.#bytes, level: Math.min(1, this.#level) }
    this.#bytes = new Uint8Array(FRAME_BYTES)
    this.#filled = 0
    this.#level = 0
    return frame
  }
}
