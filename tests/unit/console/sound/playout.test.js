import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Playout } from '../../../../server/console/static/sound/playout.js'

/** @param {number} length @param {number} [value] */
const samples = (length, value = 1) => new Float32Array(length).fill(value)

/** @param {Playout} playout @param {number} [length] */
function read (playout, length = 10) {
  const out = samples(length, 9)
  return { ...playout.read(out), out: [...out] }
}

test('audio sounds in order, across the pieces it came in', () => {
  const playout = new Playout(0)
  playout.push(samples(6, 1))
  playout.push(samples(6, 2))
  assert.deepEqual(read(playout).out, [1, 1, 1, 1, 1, 1, 2, 2, 2, 2])
  assert.deepEqual(read(playout).out, [2, 2, 0, 0, 0, 0, 0, 0, 0, 0])
})

test('a mark is reached once all before it has sounded, and not before', () => {
  const playout = new Playout(0)
  playout.push(samples(15))
  playout.mark(1)
  playout.push(samples(5))
  playout.mark(2)
  playout.mark(3)
  assert.deepEqual(read(playout).reached, [])
  assert.deepEqual(read(playout).reached, [1, 2, 3])
})

test('a mark behind nothing is reached at once', () => {
  const playout = new Playout(100)
  playout.mark(7)
  assert.deepEqual(read(playout), { sounded: 0, reached: [7], out: Array(10).fill(0) })
})

test('a clear forgets audio and marks, in the middle of a piece too', () => {
  const playout = new Playout(0)
  playout.push(samples(15))
  playout.mark(1)
  read(playout)
  playout.clear()
  assert.deepEqual(read(playout), { sounded: 0, reached: [], out: Array(10).fill(0) })
  playout.push(samples(5, 3))
  assert.deepEqual(read(playout).out.slice(0, 6), [3, 3, 3, 3, 3, 0])
})

test('after a gap a little is gathered, and what stays less than that sounds all the same', () => {
  const playout = new Playout(25)
  playout.push(samples(10))
  playout.mark(1)
  assert.deepEqual([read(playout), read(playout), read(playout)].map(({ sounded }) => sounded), [0, 0, 10])
  playout.push(samples(30))
  assert.equal(read(playout).sounded, 10)
})

test('what sounded is counted without the silence in gaps', () => {
  const playout = new Playout(0)
  playout.push(samples(14))
  assert.equal([1, 2, 3].reduce(sum => sum + read(playout).sounded, 0), 14)
})
