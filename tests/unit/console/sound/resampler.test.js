import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Resampler } from '../../../../server/console/static/sound/resampler.js'

/** @param {number} hz @param {number} rate @param {number} seconds */
const tone = (hz, rate, seconds) =>
  Float32Array.from({ length: rate * seconds }, (_, at) => Math.sin(2 * Math.PI * hz * at / rate))

/** @param {Float32Array} samples */
const rms = samples => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)

/** Without the beginning and the end. @param {Float32Array} samples */
const middle = samples => samples.subarray(samples.length >> 2, 3 * samples.length >> 2)

/** @param {Resampler} resampler @param {Float32Array} samples @param {number} block */
function inBlocks (resampler, samples, block) {
  /** @type {number[]} */
  const out = []
  for (let at = 0; at < samples.length; at += block) out.push(...resampler.push(samples.subarray(at, at + block)))
  return Float32Array.from(out)
}

for (const rate of [48000, 44100, 16000, 8000]) {
  test(`speech at ${rate} Hz keeps its loudness and its length on the way to 8 kHz and back`, () => {
    const down = inBlocks(new Resampler(rate, 8000), tone(1000, rate, 1), 128)
    assert.ok(Math.abs(down.length - 8000) < 40, `${down.length} samples`)
    assert.ok(Math.abs(rms(middle(down)) - Math.SQRT1_2) < 0.01, `${rms(middle(down))}`)
    const up = inBlocks(new Resampler(8000, rate), down, 160)
    assert.ok(Math.abs(up.length - rate) < rate / 100, `${up.length} samples`)
    assert.ok(Math.abs(rms(middle(up)) - Math.SQRT1_2) < 0.01, `${rms(middle(up))}`)
  })
}

for (const rate of [48000, 44100]) {
  test(`what a telephone cannot carry does not come back as another tone from ${rate} Hz`, () => {
    for (const hz of [5000, 6500, 9000, 15500]) {
      const down = inBlocks(new Resampler(rate, 8000), tone(hz, rate, 1), 128)
      assert.ok(rms(middle(down)) < 0.002, `${hz} Hz left ${rms(middle(down))}`)
    }
  })

  test(`no mirror of the telephone's band is heard at ${rate} Hz`, () => {
    const up = inBlocks(new Resampler(8000, rate), tone(1000, 8000, 1), 160)
    const wanted = middle(up)
    const start = up.length >> 2
    // What is left once the tone itself, in phase and out of it, is taken away.
    const [sine, cosine] = [Math.sin, Math.cos].map(wave =>
      Float32Array.from(wanted, (_, at) => wave(2 * Math.PI * 1000 * (at + start) / rate)))
    const along = (/** @type {Float32Array} */ wave) =>
      2 * wanted.reduce((sum, sample, at) => sum + sample * wave[at], 0) / wanted.length
    const [inPhase, outOfPhase] = [along(sine), along(cosine)]
    const left = wanted.map((sample, at) => sample - inPhase * sine[at] - outOfPhase * cosine[at])
    assert.ok(rms(left) < 0.01, `${rms(left)}`)
  })
}

test('the size of the blocks makes no difference', () => {
  const input = tone(700, 44100, 0.2)
  const whole = new Resampler(44100, 8000).push(input)
  assert.deepEqual(inBlocks(new Resampler(44100, 8000), input, 37), whole)
})
