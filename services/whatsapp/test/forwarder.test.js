import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, makeForwarder } from '../src/forwarder.js'
import { makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

const ACCEPTED = { status: 200, body: { accepted: 1, duplicates: 0, ignored: 0, rejected: [] } }

/** A forwarder over a journal in memory and a server that answers as told. */
function arrange () {
  const clock = makeFakeClock()
  const { logger, named } = makeQuietLogger()
  /** @type {Map<number, any>} */
  const entries = new Map()
  /** @type {{ sequence: number, why: string }[]} */
  const aside = []
  /** @type {string[]} */
  const posted = []
  /** @type {(id: string) => any} */
  let answer = () => ACCEPTED
  const journal = {
    read: (/** @type {string} */ _tenant, /** @type {number} */ sequence) => entries.get(sequence),
    strike: async (/** @type {string} */ _tenant, /** @type {number} */ sequence) => void entries.delete(sequence),
    setAside: async (/** @type {string} */ _tenant, /** @type {number} */ sequence, /** @type {string} */ why) => {
      entries.delete(sequence)
      aside.push({ sequence, why })
    }
  }
  const forwarder = makeForwarder({
    post: async (_path, body) => {
      const [{ key }] = /** @type {any} */ (body).payload.messages
      posted.push(key.id)
      return answer(key.id)
    },
    journal,
    clock,
    logger
  })
  return {
    forwarder, clock, entries, aside, posted, named,
    /** @param {(id: string) => any} how */
    serverAnswers: how => {
      answer = how
    },
    /** @param {number} sequence @param {string} chat @param {string} id */
    arrive: (sequence, chat, id) => {
      entries.set(sequence, { key: { remoteJid: chat, id, fromMe: false }, message: {} })
      forwarder.enqueue({ tenantId: '1', sequence, chat })
    }
  }
}

const unreachable = () => {
  throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })
}

test('messages of a chat go out one at a time, in the journal\'s order', async () => {
  const { arrive, posted, serverAnswers } = arrange()
  /** @type {((answer: any) => void)[]} */
  const answers = []
  serverAnswers(() => new Promise(resolve => answers.push(resolve)))
  arrive(1, 'a', 'first')
  arrive(2, 'a', 'second')
  arrive(3, 'b', 'elsewhere')
  await settle()
  assert.deepEqual(posted, ['first', 'elsewhere'])
  answers[0](ACCEPTED)
  await settle()
  assert.deepEqual(posted, ['first', 'elsewhere', 'second'])
})

test('at most sixteen messages are in flight', async () => {
  const { arrive, posted, serverAnswers } = arrange()
  serverAnswers(() => new Promise(() => {}))
  for (let n = 1; n <= 40; n++) arrive(n, `chat ${n}`, `m${n}`)
  await settle()
  assert.equal(posted.length, 16)
})

test('what the server has judged leaves the journal', async () => {
  const { arrive, entries } = arrange()
  arrive(1, 'a', 'one')
  await settle()
  assert.equal(entries.size, 0)
})

test('while the server is away messages wait with growing pauses and then go out once, in order', async () => {
  const { arrive, posted, serverAnswers, clock, entries } = arrange()
  serverAnswers(unreachable)
  arrive(1, 'a', 'first')
  arrive(2, 'a', 'second')
  await settle()
  assert.deepEqual(clock.pending(), [250])
  await clock.advance(250)
  assert.deepEqual(clock.pending(), [500])
  await clock.advance(60_000)
  assert.deepEqual(clock.pending().map(ms => ms <= 15_000), [true])
  assert.ok(posted.every(id => id === 'first'))
  posted.length = 0
  serverAnswers(() => ACCEPTED)
  await clock.advance(15_000)
  assert.deepEqual(posted, ['first', 'second'])
  assert.equal(entries.size, 0)
})

test('the first chat that gets through wakes the others', async () => {
  const { arrive, posted, serverAnswers, clock } = arrange()
  serverAnswers(unreachable)
  arrive(1, 'a', 'a1')
  await settle()
  await clock.advance(20_000)
  arrive(2, 'b', 'b1')
  await settle()
  posted.length = 0
  serverAnswers(() => ACCEPTED)
  await clock.advance(250)
  assert.deepEqual(posted, ['b1', 'a1'])
})

test('a message that the server chokes on waits without holding up other chats', async () => {
  const { arrive, posted, serverAnswers, entries, clock } = arrange()
  serverAnswers(id => id === 'poison' ? { status: 500, body: {} } : ACCEPTED)
  arrive(1, 'a', 'poison')
  for (let n = 2; n < 10; n++) arrive(n, 'b', `m${n}`)
  await settle()
  assert.deepEqual([...entries.keys()], [1])
  assert.equal(posted.filter(id => id === 'poison').length, 1)
  serverAnswers(() => ACCEPTED)
  await clock.advance(250)
  assert.equal(entries.size, 0)
})

for (const status of [400, 404, 413, 422]) {
  test(`a message that is finally refused with ${status} is set aside with an alert, and the next goes on`, async () => {
    const { arrive, serverAnswers, aside, entries, named } = arrange()
    serverAnswers(id => id === 'bad' ? { status, body: {} } : ACCEPTED)
    arrive(1, 'a', 'bad')
    arrive(2, 'a', 'good')
    await settle()
    assert.deepEqual(aside, [{ sequence: 1, why: `HTTP ${status}` }])
    assert.equal(entries.size, 0)
    assert.equal(named('message_set_aside')[0].alert, true)
  })
}

test('a message in `rejected` is set aside with the server\'s reason', async () => {
  const { arrive, serverAnswers, aside } = arrange()
  serverAnswers(id => ({ status: 200, body: { accepted: 0, duplicates: 0, ignored: 0, rejected: [{ id, why: 'no key' }] } }))
  arrive(1, 'a', 'bad')
  await settle()
  assert.deepEqual(aside, [{ sequence: 1, why: 'no key' }])
})

test('a wrong secret keeps everything, alerts and waits long', async () => {
  const { arrive, serverAnswers, entries, clock, named } = arrange()
  serverAnswers(() => ({ status: 401, body: {} }))
  arrive(1, 'a', 'one')
  await settle()
  assert.equal(entries.size, 1)
  assert.deepEqual(clock.pending(), [15_000])
  assert.equal(named('server_refuses_secret')[0].alert, true)
})

test('an answer that is not the contract\'s proves nothing: keep the message', () => {
  assert.equal(judge({ status: 200, body: undefined }).verdict, 'again')
  assert.equal(judge({ status: 302, body: {} }).verdict, 'again')
})

test('too many requests and gateway errors mean that the server is away', () => {
  for (const status of [429, 502, 503, 504]) assert.equal(judge({ status, body: {} }).verdict, 'unreachable')
})

test('stopping waits for what is in flight and starts nothing', async () => {
  const { arrive, forwarder, serverAnswers, posted, entries } = arrange()
  /** @type {(answer: any) => void} */
  let finish = () => {}
  serverAnswers(() => new Promise(resolve => {
    finish = resolve
  }))
  arrive(1, 'a', 'first')
  arrive(2, 'a', 'second')
  await settle()
  const stopped = forwarder.stop()
  finish(ACCEPTED)
  await stopped
  assert.deepEqual(posted, ['first'])
  assert.deepEqual([...entries.keys()], [2])
})
