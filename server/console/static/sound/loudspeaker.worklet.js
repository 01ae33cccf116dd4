/// <reference lib="dom" />
/// <reference path="./worklet.d.ts" />
/* global AudioWorkletProcessor, registerProcessor, sampleRate */

import { RATE_HZ } from './frames.js'
import { decode } from './mulaw.js'
import { Playout } from './playout.js'
import { Resampler } from './resampler.js'

const CUSHION_S = 0.04
const REPORT_S = 0.05

/**
 * Sounds what it is told: `{audio: Uint8Array}`, `{mark: number}`, `{clear: true}`. Posts `{reached: number}` and,
 * twenty times a second, `{level, soundedMs}` of what has sounded since.
 */
class Loudspeaker extends AudioWorkletProcessor {
  #resampler = new Resampler(RATE_HZ, sampleRate)
  #playout = new Playout(CUSHION_S * sampleRate)
  #level = 0
  #sounded = 0
  #passed = 0

  constructor () {
    super()
    this.port.onmessage = ({ data }) => this.#take(data)
  }

  /** @param {Float32Array<ArrayBuffer>[][]} _inputs @param {Float32Array<ArrayBuffer>[][]} outputs */
  process (_inputs, [channels]) {
    const [first, ...others] = channels
    const { sounded, reached } = this.#playout.read(first)
    for (const other of others) other.set(first)
    for (const number of reached) this.port.postMessage({ reached: number })
    this.#report(first, sounded)
    return true
  }

  /** @param {{audio?: Uint8Array, mark?: number, clear?: true}} told */
  #take ({ audio, mark, clear }) {
    if (audio) this.#playout.push(this.#resampler.push(decode(audio)))
    if (mark) this.#playout.mark(mark)
    if (clear) {
      this.#playout.clear()
      this.#resampler = new Resampler(RATE_HZ, sampleRate)
    }
  }

  /** @param {Float32Array} samples @param {number} sounded */
  #report (samples, sounded) {
    for (const sample of samples) this.#level = Math.max(this.#level, Math.abs(sample))
    this.#sounded += sounded
    this.#passed += samples.length
    if (this.#passed < REPORT_S * sampleRate) return
    this.port.postMessage({ level: Math.min(1, this.#level), soundedMs: this.#sounded * 1000 / sampleRate })
    this.#level = this.#sounded = this.#passed = 0
  }
}

registerProcessor('loudspeaker', Loudspeaker)
