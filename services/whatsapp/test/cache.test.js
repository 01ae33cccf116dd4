import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeCache } from '../src/cache.js'

test('the least recently used is forgotten first', () => {
  const cache = makeCache({ limit: 2, ttlMs: 1000 })
  cache.set('a', 1)
  cache.set('b', 2)
  cache.get('a')
  cache.set('c', 3)
  assert.deepEqual([cache.get('a'), cache.get('b'), cache.get('c')], [1, undefined, 3])
})

test('an entry is forgotten when its time is up', () => {
  let now = 0
  const cache = makeCache({ limit: 2, ttlMs: 1000, now: () => now })
  cache.set('a', 1)
  now = 999
  assert.equal(cache.get('a'), 1)
  now = 1000
  assert.equal(cache.get('a'), undefined)
})

test('a deletion is remembered like any value, so that a deleted key is not read back', () => {
  const cache = makeCache({ limit: 2, ttlMs: 1000 })
  cache.set('a', null)
  assert.equal(cache.get('a'), null)
})

test('what is not to be kept is not held', () => {
  const cache = makeCache({ limit: 2, ttlMs: 1000, keeps: key => key !== 'secret' })
  cache.set('secret', 1)
  assert.equal(cache.get('secret'), undefined)
})
