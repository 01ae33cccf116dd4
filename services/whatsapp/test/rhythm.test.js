import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeRhythm } from '../src/rhythm.js'
import { makeFakeClock } from '../testing/fake-clock.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const WEEK_MS = 7 * 24 * HOUR_MS
const START = 1000 * WEEK_MS

/**
 * Weeks in which something comes at minutes 5 and 6 and 35 of the hours from 9 to 12 of each day.
 *
 * @param {number} weeks
 */
async function live (weeks) {
  const clock = makeFakeClock(START)
  /** @type {any} */
  let saved
  const rhythm = makeRhythm({ load: () => saved, save: history => void (saved = structuredClone(history)), clock })
  rhythm.begin()
  for (let hour = 0; hour < weeks * 168; hour++) {
    if (hour % 24 >= 9 && hour % 24 < 12) {
      for (const minute of [5, 6, 35]) {
        await clock.advance(START + hour * HOUR_MS + minute * MINUTE_MS - clock.now())
        rhythm.heard()
      }
    }
    await clock.advance(START + (hour + 1) * HOUR_MS - clock.now())
    rhythm.tick()
  }
  return { rhythm, clock, saved: () => saved }
}

test('the hours of the week are learnt, a burst counting once', async () => {
  const { rhythm, clock } = await live(2)
  const monday = clock.now()
  assert.equal(rhythm.isLearned(), true)
  assert.equal(rhythm.expected(monday, monday + 8 * HOUR_MS), 0)
  assert.equal(rhythm.expected(monday, monday + 24 * HOUR_MS), 6)
  assert.equal(rhythm.expected(monday + 9.5 * HOUR_MS, monday + 10 * HOUR_MS), 1)
})

test('it takes a week, and what was learnt outlives the process', async () => {
  const { rhythm, clock, saved } = await live(1)
  assert.equal(rhythm.isLearned(), true)
  const later = makeRhythm({ load: saved, save: () => {}, clock })
  assert.equal(later.since(), START)
  assert.equal(later.expected(clock.now() + 24 * HOUR_MS, clock.now() + 48 * HOUR_MS), 6)
  const fresh = makeRhythm({ load: () => undefined, save: () => {}, clock })
  fresh.begin()
  assert.equal(fresh.isLearned(), false)
})

test('hours without a connection say nothing of how quiet they are', async () => {
  const { rhythm, clock } = await live(1)
  const usual = rhythm.expected(clock.now(), clock.now() + WEEK_MS)
  rhythm.end()
  await clock.advance(WEEK_MS)
  rhythm.begin()
  rhythm.tick()
  assert.equal(rhythm.expected(clock.now(), clock.now() + WEEK_MS), usual)
})
