import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextStep } from '../src/reconnect.js'

/** @param {Partial<import('../src/reconnect.js').Closed>} closed */
const after = closed => {
  const lost = { code: undefined, linked: true, wanted: true, hadCode: false, failures: 0, conflicts: 0 }
  return nextStep({ ...lost, random: () => 1, ...closed })
}

test('the restart after pairing happens at once', () => {
  assert.equal(after({ code: 515 }).delayMs, 0)
})

test('a broken line is tried again, with growing pauses up to a minute, without forgetting anything', () => {
  for (const code of [undefined, 408, 428, 500, 503]) {
    const first = after({ code })
    assert.equal(first.delayMs, 1200)
    assert.equal(first.wipe, undefined)
    assert.equal(after({ code, failures: 3 }).delayMs, 8200)
    assert.equal(after({ code, failures: 50 }).delayMs, 60_200)
  }
})

test('a link that the phone removed is forgotten and not tried again', () => {
  const { delayMs, wipe, state } = after({ code: 401 })
  assert.deepEqual([delayMs, wipe, state], [null, true, 'logged_out'])
})

test('401 while pairing is only a failed attempt', () => {
  const { wipe, state } = after({ code: 401, linked: false })
  assert.deepEqual([wipe, state], [undefined, 'connecting'])
})

test('two clients on one link do not throw each other out for ever', () => {
  assert.equal(after({ code: 440 }).delayMs, 60_000)
  const second = after({ code: 440, conflicts: 1 })
  assert.deepEqual([second.delayMs, second.state], [null, 'disconnected'])
})

test('a ban and an outdated client wait for a person, and say why', () => {
  for (const code of [403, 405, 411]) {
    const { delayMs, state, reason, wipe } = after({ code })
    assert.deepEqual([delayMs, state, wipe], [null, 'blocked', undefined])
    assert.match(reason ?? '', new RegExp(String(code)))
  }
})

test('a QR is renewed at once while somebody looks, and not otherwise', () => {
  assert.equal(after({ code: 408, linked: false, hadCode: true }).delayMs, 0)
  const unwanted = after({ code: 408, linked: false, hadCode: true, wanted: false })
  assert.deepEqual([unwanted.delayMs, unwanted.state], [null, 'disconnected'])
})

test('a WhatsApp that cannot be reached is not asked again and again without a pause, and the reason is told', () => {
  const { delayMs, reason } = after({ code: 408, linked: false, failures: 3 })
  assert.equal(delayMs, 8200)
  assert.match(reason ?? '', /cannot be reached/)
})
