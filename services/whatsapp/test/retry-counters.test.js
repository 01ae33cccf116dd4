import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRetryCounters, pruneRetryCounters } from '../src/retry-counters.js'
import { makeFakeClock, eventually } from '../testing/fake-clock.js'
import { scratchStore } from '../testing/scratch.js'

/** @param {import('node:test').TestContext} t */
function arrange (t) {
  const store = scratchStore(t)
  const clock = makeFakeClock()
  const make = () => makeRetryCounters({ store, tenantId: '1', now: clock.now, onFailure: assert.ifError })
  return { store, clock, make }
}

test('a count is read back at once, and by the next process', async t => {
  const { store, make } = arrange(t)
  const counters = make()
  counters.set('A:7@lid', 2)
  counters.set('x'.repeat(5000), 4)
  assert.equal(counters.get('A:7@lid'), 2)
  await eventually(() => store.retries.getKeysCount() === 2)
  assert.deepEqual([make().get('A:7@lid'), make().get('x'.repeat(5000)), make().get('B')], [2, 4, undefined])
})

test('a count that was deleted is gone at once', async t => {
  const { store, make } = arrange(t)
  const counters = make()
  counters.set('A', 2)
  await eventually(() => store.retries.getKeysCount() === 1)
  counters.del('A')
  assert.equal(counters.get('A'), undefined)
  await eventually(() => store.retries.getKeysCount() === 0)
})

test('a count is forgotten after an hour', async t => {
  const { store, clock, make } = arrange(t)
  make().set('A', 2)
  await eventually(() => store.retries.getKeysCount() === 1)
  await clock.advance(3_600_001)
  assert.equal(make().get('A'), undefined)
  await pruneRetryCounters(store, clock.now())
  assert.equal(store.retries.getKeysCount(), 0)
})
