import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeSessionLock } from '../src/session-lock.js'
import { settle } from '../testing/fake-clock.js'

/** Work that goes on until it is told to end, and who is at work. */
function arrange () {
  const lock = makeSessionLock()
  /** @type {Set<string>} */
  const atWork = new Set()
  /** @type {Map<string, () => void>} */
  const ends = new Map()
  /** @param {'share' | 'alone'} way @param {string} name */
  const begin = (way, name) => lock[way](async () => {
    atWork.add(name)
    await new Promise(resolve => ends.set(name, () => resolve(undefined)))
    atWork.delete(name)
  })
  return {
    lock,
    begin,
    end: async (/** @type {string} */ name) => {
      ends.get(name)?.()
      await settle()
    },
    atWork: () => [...atWork].sort()
  }
}

test('what shares goes side by side, what wants to be alone waits for all of it', async () => {
  const { begin, end, atWork } = arrange()
  begin('share', 'a')
  begin('share', 'b')
  begin('alone', 'c')
  await settle()
  assert.deepEqual(atWork(), ['a', 'b'])
  await end('a')
  assert.deepEqual(atWork(), ['b'])
  await end('b')
  assert.deepEqual(atWork(), ['c'])
})

test('whoever comes later does not overtake one that waits to be alone', async () => {
  const { begin, end, atWork } = arrange()
  begin('share', 'a')
  begin('alone', 'b')
  begin('share', 'c')
  begin('share', 'd')
  await settle()
  assert.deepEqual(atWork(), ['a'])
  await end('a')
  assert.deepEqual(atWork(), ['b'])
  await end('b')
  assert.deepEqual(atWork(), ['c', 'd'])
})

test('work that fails gives its place back', async () => {
  const { lock, begin, atWork } = arrange()
  await assert.rejects(lock.alone(async () => {
    throw new Error('no')
  }))
  begin('share', 'a')
  await settle()
  assert.deepEqual(atWork(), ['a'])
})
