/// <reference lib="dom" />
/// <reference path="./worklet.d.ts" />
/* global AudioWorkletProcessor, registerProcessor, sampleRate */

import { Framer, RATE_HZ } from './frames.js'
import { Resampler } from './resampler.js'

/** Posts the microphone's sound as the telephone's frames, each 20 ms. */
class Microphone extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE_HZ)
  #framer = new Framer()

  /** @param {Float32Array[][]} inputs */
  process ([channels]) {
    if (channels.length === 0) return true
    for (const frame of this.#framer.push(this.#resampler.push(channels[0]))) {
      this.port.postMessage(frame, [frame.bytes.buffer])
    }
    return true
  }
}

registerProcessor('microphone', Microphone)
