import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makePresence } from '../src/presence.js'
import { makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

/** @param {'turn' | 'never'} announce */
function arrange (announce) {
  /** @type {string[]} */
  const told = []
  const clock = makeFakeClock()
  const presence = makePresence({
    findSocket: () => ({
      sendPresenceUpdate: async (state, to) => void told.push(to ? `${state} ${to}` : state)
    }),
    announce,
    clock,
    logger: makeQuietLogger().logger
  })
  return { presence, told, clock }
}

test('the number is available for the span of a turn only', async () => {
  const { presence, told, clock } = arrange('turn')
  presence.show('1', 'a', 'composing')
  presence.show('1', 'a', 'composing')
  presence.show('1', 'a', 'paused')
  await clock.advance(2000)
  assert.deepEqual(told, ['available', 'composing a', 'composing a', 'paused a', 'unavailable'])
})

test('turns that overlap or follow each other closely share one announcement', async () => {
  const { presence, told, clock } = arrange('turn')
  presence.show('1', 'a', 'composing')
  presence.show('1', 'b', 'recording')
  presence.end('1', 'a')
  await clock.advance(5000)
  presence.end('1', 'b')
  await clock.advance(1000)
  presence.show('1', 'c', 'composing')
  await clock.advance(1000)
  assert.deepEqual(told, ['available', 'composing a', 'recording b', 'composing c'])
  presence.end('1', 'c')
  await clock.advance(2000)
  assert.equal(told.at(-1), 'unavailable')
})

test('a turn whose owner died does not leave the number available', async () => {
  const { presence, told, clock } = arrange('turn')
  presence.show('1', 'a', 'composing')
  await clock.advance(30_000)
  assert.deepEqual(told, ['available', 'composing a', 'unavailable'])
})

test('with `never` the number stays unavailable throughout', async () => {
  const { presence, told, clock } = arrange('never')
  presence.show('1', 'a', 'composing')
  presence.show('1', 'a', 'paused')
  await clock.advance(30_000)
  assert.deepEqual(told, ['composing a', 'paused a'])
})

test('a new connection starts unannounced', async () => {
  const { presence, told, clock } = arrange('turn')
  presence.show('1', 'a', 'composing')
  presence.reset('1')
  await clock.advance(30_000)
  presence.show('1', 'a', 'composing')
  assert.deepEqual(told, ['available', 'composing a', 'available', 'composing a'])
})

test('an indicator that cannot be shown fails nobody', async () => {
  const presence = makePresence({
    findSocket: () => ({ sendPresenceUpdate: () => Promise.reject(new Error('closed')) }),
    announce: 'turn',
    clock: makeFakeClock(),
    logger: makeQuietLogger().logger
  })
  presence.show('1', 'a', 'composing')
  await settle()
})
