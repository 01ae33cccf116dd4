import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeArrivalOrder } from '../src/arrival-order.js'
import { makeFakeClock } from '../testing/fake-clock.js'

function arrange () {
  const clock = makeFakeClock()
  /** @type {number[]} */
  const released = []
  const order = makeArrivalOrder({ clock, release: ({ sequence }) => released.push(sequence) })
  return {
    clock, released,
    expect: (/** @type {number[]} */ ...sequences) => sequences.forEach(n => order.expect('chat', n)),
    hold: order.hold,
    /** @param {number} sequence @param {string} [chat] */
    read: (sequence, chat = 'chat') => order.arrive(chat, sequence, { tenantId: '1', sequence, chat }),
    nothingIn: (/** @type {number} */ sequence) => order.arrive('chat', sequence),
    close: order.close
  }
}

test('a message goes at once when nothing arrived before it', () => {
  const { expect, read, released, clock } = arrange()
  expect(1)
  read(1)
  assert.deepEqual(released, [1])
  assert.ok(clock.pending().length <= 1)
})

test('what is read early waits for what arrived before it', () => {
  const { expect, read, released } = arrange()
  expect(1, 2, 3)
  read(3)
  read(2)
  assert.deepEqual(released, [])
  read(1)
  assert.deepEqual(released, [1, 2, 3])
})

test('what holds nothing for the server holds up nothing', () => {
  const { expect, read, nothingIn, released } = arrange()
  expect(1, 2)
  read(2)
  nothingIn(1)
  assert.deepEqual(released, [2])
})

test('chats do not wait for one another', () => {
  const { expect, read, released } = arrange()
  expect(1)
  read(2, 'another')
  assert.deepEqual(released, [2])
})

test('one that cannot be read holds its chat up for three seconds, and goes at once when it comes yet', async () => {
  const { expect, read, released, clock } = arrange()
  expect(1, 2)
  read(2)
  await clock.advance(2900)
  assert.deepEqual(released, [])
  await clock.advance(3100)
  assert.deepEqual(released, [2])
  read(1)
  assert.deepEqual(released, [2, 1])
})

test('a long backlog is not given up while it is being read', async () => {
  const { expect, read, released, clock } = arrange()
  expect(...Array.from({ length: 20 }, (_, n) => n + 1))
  read(20)
  for (let n = 1; n < 20; n++) {
    await clock.advance(1000)
    read(n)
  }
  assert.deepEqual(released, Array.from({ length: 20 }, (_, n) => n + 1))
})

test('others keep on writing: that does not keep up a chat in which one cannot be read', async () => {
  const { expect, read, released, clock } = arrange()
  expect(1, 2)
  read(2)
  for (let n = 3; n < 10; n++) {
    await clock.advance(1000)
    read(n, 'another')
  }
  assert.ok(released.includes(2) && released.indexOf(2) < released.indexOf(8), String(released))
})

test('while the line is down a chat waits for longer, and a moment more once it has been asked for', async () => {
  const { expect, read, hold, released, clock } = arrange()
  expect(1, 2)
  read(2)
  hold()
  await clock.advance(15_000)
  expect(1)
  await clock.advance(2000)
  assert.deepEqual(released, [])
  await clock.advance(2000)
  assert.deepEqual(released, [2])
})

test('a line that breaks ever again holds nothing up for more than a minute', async () => {
  const { expect, read, hold, released, clock } = arrange()
  expect(1, 2)
  read(2)
  for (let n = 0; n < 6; n++) {
    hold()
    await clock.advance(10_000)
  }
  await clock.advance(1000)
  assert.deepEqual(released, [2])
})

test('no timer runs when nothing is expected', async () => {
  const { expect, read, clock } = arrange()
  expect(1)
  read(1)
  await clock.advance(10_000)
  assert.deepEqual(clock.pending(), [])
})

test('when the number has gone elsewhere, nothing more is handed on', async () => {
  const { expect, read, released, close, clock } = arrange()
  expect(1, 2)
  read(2)
  close()
  await clock.advance(10_000)
  assert.deepEqual(released, [])
  assert.deepEqual(clock.pending(), [])
})
