import assert from 'node:assert/strict'
import { test } from 'node:test'
import { banRisk } from '../src/ban-risk.js'
import { makeBehaviour } from '../src/behaviour.js'
import { makeFakeClock } from '../testing/fake-clock.js'

const HOUR_MS = 60 * 60 * 1000
const CALM = {
  sends: 300, strangers: 0, refused463: 0, refused: 0, conflicts: 0,
  sendsLastHour: 20, undelivered: 5, delivered: 295, ageDays: 30
}

/** The same numbers in every run. @param {number} seed */
function makeRandom (seed) {
  let state = seed
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return state / 2 ** 31
  }
}

/** @param {() => number} random */
function anyBehaviour (random) {
  const sends = Math.floor(random() * 3000)
  const of = (/** @type {number} */ most) => Math.floor(random() * most)
  return {
    sends, strangers: of(sends + 1), refused463: of(5), refused: of(50), conflicts: of(5),
    sendsLastHour: of(1500), undelivered: of(1000), delivered: of(3000), ageDays: random() * 40
  }
}

test('a number that answers its guests risks nothing', () => {
  assert.equal(banRisk(CALM), 0)
  assert.equal(banRisk({ ...CALM, sends: 0, delivered: 0, undelivered: 0, sendsLastHour: 0, ageDays: 0 }), 0)
})

test('any behaviour has a figure from 0 to 1', () => {
  const random = makeRandom(7)
  for (let n = 0; n < 2000; n++) {
    const risk = banRisk(anyBehaviour(random))
    assert.ok(risk >= 0 && risk <= 1, String(risk))
  }
})

test('no sign lowers the figure, and age never raises it', () => {
  const random = makeRandom(11)
  const worse = /** @type {const} */ (['strangers', 'refused463', 'refused', 'conflicts', 'sendsLastHour', 'undelivered'])
  for (let n = 0; n < 2000; n++) {
    const behaviour = anyBehaviour(random)
    for (const sign of worse) {
      const more = { ...behaviour, [sign]: behaviour[sign] + 1 + Math.floor(random() * 20) }
      assert.ok(banRisk(more) >= banRisk(behaviour), sign)
    }
    assert.ok(banRisk({ ...behaviour, ageDays: behaviour.ageDays + random() * 10 }) <= banRisk(behaviour))
  }
})

test('a time-lock weighs more than anything else of its size', () => {
  assert.equal(banRisk({ ...CALM, refused463: 1 }), 0.4)
  assert.ok(banRisk({ ...CALM, refused463: 4 }) > 0.7)
  for (const other of ['refused', 'conflicts', 'undelivered', 'strangers']) assert.ok(banRisk({ ...CALM, [other]: 1 }) < 0.4)
})

test('a bulk sender is told from a busy desk', () => {
  assert.ok(banRisk({ ...CALM, sends: 1000, strangers: 900, sendsLastHour: 600, ageDays: 1 }) > 0.7)
  assert.equal(banRisk({ ...CALM, sends: 3000, delivered: 2900, sendsLastHour: 300 }), 0)
})

test('a number\'s deeds are counted for a day', async () => {
  const clock = makeFakeClock()
  const behaviour = makeBehaviour({ hasWritten: (_tenant, jid) => jid === 'guest', clock })
  behaviour.onSent('1', { messageId: 'A', to: 'guest' })
  behaviour.onSent('1', { messageId: 'B', to: 'stranger' })
  behaviour.onDelivered('1', ['A', 'A', 'unknown'])
  behaviour.onRefused('1', 463)
  behaviour.onRefused('1', 479)
  behaviour.onConflict('1')
  await clock.advance(11 * 60_000)
  const linkedAt = clock.now() - 48 * HOUR_MS
  assert.deepEqual(behaviour.of('1', linkedAt), {
    sends: 2, strangers: 1, refused463: 1, refused: 1, conflicts: 1, delivered: 1,
    sendsLastHour: 1, undelivered: 1, ageDays: 2
  })
  assert.equal(behaviour.of('2', linkedAt).sends, 0)
  await clock.advance(25 * HOUR_MS)
  const { sends, undelivered } = behaviour.of('1', linkedAt)
  assert.deepEqual([sends, undelivered], [0, 0])
})
