import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SILENCE, decode, encode } from '../../../../server/console/static/sound/mulaw.js'

// Codes with the samples of 16 bits they stand for: the ends of each of the eight segments. Source: ITU-T G.711,
// table 2a, in steps of 14 bits, times four.
const TABLE = [
  [0x80, 32124], [0x8f, 16764], [0x90, 15996], [0x9f, 8316], [0xa0, 7932], [0xaf, 4092], [0xb0, 3900],
  [0xbf, 1980], [0xc0, 1884], [0xcf, 924], [0xd0, 876], [0xdf, 396], [0xe0, 372], [0xef, 132], [0xf0, 120],
  [0xfe, 8], [0xff, 0]
]

test('codes stand for the samples that the standard lists, of either sign', () => {
  for (const [code, sample] of TABLE) {
    assert.equal(decode(Uint8Array.of(code))[0], sample / 32768, `code ${code}`)
    assert.equal(decode(Uint8Array.of(code & 0x7f))[0] + sample / 32768, 0, `code ${code & 0x7f}`)
  }
})

test('each of the 256 codes comes back from its own sample, but for the second zero', () => {
  for (let code = 0; code < 256; code++) {
    const back = encode(decode(Uint8Array.of(code))[0])
    assert.equal(back, code === 0x7f ? SILENCE : code)
  }
})

test('a sample is coded as the nearest level, within half a step of its segment', () => {
  for (let level = -32635; level <= 32635; level += 7) {
    const back = decode(Uint8Array.of(encode(level / 32768)))[0] * 32768
    const step = 8 << Math.max(0, 24 - Math.clz32(Math.abs(level) + 132))
    assert.ok(Math.abs(back - level) <= step / 2, `${level} became ${back}`)
  }
})

test('what is louder than full scale is cut off, not turned over', () => {
  assert.deepEqual([encode(1), encode(4), encode(-1), encode(-4)], [0x80, 0x80, 0x00, 0x00])
})
