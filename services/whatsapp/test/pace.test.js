import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TooFast } from '../src/errors.js'
import { makePace, warmth } from '../src/pace.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { makeWorld } from '../testing/sidecar-world.js'

const DAY_MS = 24 * 60 * 60 * 1000

/** @param {{ ageDays?: number, sendsPerMinute?: number, warmUpDays?: number }} [options] */
function arrange ({ ageDays = 30, sendsPerMinute = 240, warmUpDays = 7 } = {}) {
  const clock = makeFakeClock()
  const linkedAt = clock.now() - ageDays * DAY_MS
  const pace = makePace({ limits: { sendsPerMinute, warmUpDays }, linkedAt: () => linkedAt, clock })
  return { clock, pace, turn: (to = 'a') => pace.turn('1', to) }
}

test('a warm number answers 200 guests a minute without waiting, minute after minute', async () => {
  const { clock, turn } = arrange()
  for (let n = 0; n < 1000; n++) {
    assert.equal(turn(`guest ${n}`), undefined)
    await clock.advance(300)
  }
})

test('a burst that comes at once goes at once, as long as there are tokens', () => {
  const { turn } = arrange()
  for (let n = 0; n < 240; n++) assert.equal(turn(`guest ${n}`), undefined)
  assert.ok(turn('one more') instanceof Promise)
})

test('a chat that is forgotten begins with a full bucket, another does not', () => {
  const { pace, turn } = arrange()
  for (let n = 0; n < 15; n++) for (const to of ['7@lid', '8@lid']) assert.equal(turn(to), undefined)
  pace.forget('1', jid => jid === '7@lid')
  assert.equal(turn('7@lid'), undefined)
  assert.ok(turn('8@lid') instanceof Promise)
})

test('beyond the tokens a send waits, later ones longer, until the wait is too long and is refused', async () => {
  const { clock, turn } = arrange()
  for (let n = 0; n < 240; n++) turn(`guest ${n}`)
  let waited = 0
  /** @type {unknown} */
  let refusal
  for (; !refusal; waited++) {
    try {
      turn(`late ${waited}`)
    } catch (error) {
      refusal = error
    }
  }
  assert.ok(refusal instanceof TooFast && refusal.retryAfterS >= 3)
  assert.deepEqual([waited - 1, clock.pending().length], [12, 12])
  // The clock's chance is the largest: a quarter on top.
  assert.deepEqual([clock.pending()[0], clock.pending().at(-1)], [312.5, 3750])
  await clock.advance(60_000)
  assert.equal(turn('after a minute'), undefined)
})

test('what is refused takes no turn from anybody', () => {
  const { clock, turn } = arrange({ sendsPerMinute: 10, warmUpDays: 0 })
  for (let n = 0; n < 10; n++) turn(`guest ${n}`)
  for (let n = 0; n < 50; n++) assert.throws(() => turn(`guest ${n}`), TooFast)
  assert.deepEqual(clock.pending(), [])
})

test('one chat does not use up the pace of the number, nor gets more than a person reads', () => {
  const { turn } = arrange()
  for (let n = 0; n < 15; n++) assert.equal(turn('talkative'), undefined)
  assert.ok(turn('talkative') instanceof Promise)
  assert.equal(turn('another'), undefined)
})

test('a number that was linked today has a small share, which grows to the whole over the days', () => {
  const { turn } = arrange({ ageDays: 0 })
  for (let n = 0; n < 36; n++) assert.equal(turn(`guest ${n}`), undefined)
  assert.ok(turn('one more') instanceof Promise)
  const shares = [0, 1, 3, 7, 100].map(days => warmth(days * DAY_MS, 7))
  assert.deepEqual(shares, [...shares].sort((a, b) => a - b))
  assert.deepEqual([shares[0], shares[3], shares[4], warmth(0, 0), warmth(-5, 7)], [0.15, 1, 1, 1, 0.15])
})

test('without limits nobody ever waits', () => {
  const { turn } = arrange({ ageDays: 0, sendsPerMinute: 0 })
  for (let n = 0; n < 10_000; n++) assert.equal(turn(), undefined)
})

test('the sidecar keeps to the pace it is set, and takes the same send again later', async t => {
  const world = await makeWorld(t)
  const running = await world.sidecar({ WHATSAPP_SENDS_PER_MINUTE: '12', WHATSAPP_WARM_UP_DAYS: '0' })
  await world.link(running)
  const { lid } = await world.control('POST /guests', { pn: '972500000002' })
  const send = (/** @type {number} */ n) => running.send({ to: `${lid}@lid`, text: `line ${n}`, messageId: `M${n}` })
  for (let n = 0; n < 12; n++) assert.equal((await send(n)).status, 200)
  const refused = await send(12)
  assert.deepEqual([refused.status, refused.body.retryAfterS > 0], [503, true])
  await new Promise(resolve => setTimeout(resolve, 3000))
  assert.equal((await send(12)).status, 200)
  assert.equal((await send(12)).status, 200)
  const { timesById } = await world.control('GET /guests/972500000002')
  assert.equal(timesById.M12, 1)
})
