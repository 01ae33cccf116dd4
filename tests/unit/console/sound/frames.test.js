import assert from 'node:assert/strict'
import { test } from 'node:test'

import { FRAME_BYTES, Framer, RATE_HZ } from '../../../../server/console/static/sound/frames.js'
import { decode } from '../../../../server/console/static/sound/mulaw.js'
import { Resampler } from '../../../../server/console/static/sound/resampler.js'

test('a frame leaves for each 160 samples, whatever the blocks, in order', () => {
  const framer = new Framer()
  const samples = Float32Array.from({ length: 1000 }, (_, at) => at / 1000)
  const frames = []
  for (let at = 0; at < samples.length; at += 33) frames.push(...framer.push(samples.subarray(at, at + 33)))
  assert.equal(frames.length, 6)
  assert.ok(frames.every(frame => frame.bytes.length === FRAME_BYTES))
  const heard = frames.flatMap(frame => [...decode(frame.bytes)])
  assert.ok(heard.every((sample, at) => Math.abs(sample - samples[at]) < 0.02))
})

test('the level is that of the loudest sample of the frame alone', () => {
  const samples = new Float32Array(2 * FRAME_BYTES)
  samples[3] = -0.5
  assert.deepEqual(new Framer().push(samples).map(frame => frame.level), [0.5, 0])
})

for (const rate of [48000, 44100]) {
  test(`a worklet at ${rate} Hz sends fifty frames a second`, () => {
    const resampler = new Resampler(rate, RATE_HZ)
    const framer = new Framer()
    const seconds = 3
    /** @type {number[]} */
    const sentAt = []
    for (let passed = 128; passed <= seconds * rate; passed += 128) {
      const frames = framer.push(resampler.push(new Float32Array(128)))
      for (let count = 0; count < frames.length; count++) sentAt.push(passed / rate)
    }
    assert.ok(sentAt.length >= 50 * seconds - 1 && sentAt.length <= 50 * seconds, `${sentAt.length} frames`)
    const gaps = sentAt.slice(1).map((at, before) => at - sentAt[before])
    // A frame leaves with the block of 128 samples that fills it.
    assert.ok(Math.max(...gaps) < 0.02 + 128 / rate && Math.min(...gaps) > 0.02 - 128 / rate)
  })
}
