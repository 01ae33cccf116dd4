import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { makeGuestPresence } from '../src/guest-presence.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { shareWorld } from '../testing/sidecar-world.js'

const GUEST = '123456@lid'

function arrange () {
  const clock = makeFakeClock()
  /** @type {string[]} */
  const subscribed = []
  /** @type {string[]} */
  const told = []
  const presence = makeGuestPresence({
    findSocket: () => ({ presenceSubscribe: async jid => void subscribed.push(jid) }),
    tell: (_tenantId, { state }) => void told.push(state),
    clock,
    logger: makeQuietLogger().logger
  })
  /** @param {Record<string, string>} [attrs] */
  const writes = attrs => presence.onMessage('1', { tag: 'message', attrs: { from: GUEST, id: 'A', ...attrs } })
  /** @param {string} tag */
  const shows = tag => presence.onChatState('1', { tag: 'chatstate', attrs: { from: GUEST }, content: [{ tag, attrs: {} }] })
  return { presence, clock, subscribed, told, writes, shows }
}

test('whoever writes is subscribed to, once for each connection', () => {
  const { presence, subscribed, writes } = arrange()
  writes()
  writes()
  assert.deepEqual(subscribed, [GUEST])
  presence.reset('1')
  writes()
  assert.deepEqual(subscribed, [GUEST, GUEST])
})

test('nobody is subscribed to for a backlog, for what the host typed, for a group', () => {
  const { subscribed, writes } = arrange()
  writes({ offline: '0' })
  writes({ recipient: '99@lid' })
  writes({ from: '1203630000@g.us', participant: GUEST })
  writes({ from: 'status@broadcast', participant: GUEST })
  assert.deepEqual(subscribed, [])
})

test('typing is told for a minute after the last message, repetitions now and then', async () => {
  const { clock, told, writes, shows } = arrange()
  shows('composing')
  writes()
  shows('composing')
  shows('composing')
  await clock.advance(3000)
  shows('composing')
  shows('paused')
  assert.deepEqual(told, ['composing', 'composing', 'paused'])
  await clock.advance(58_000)
  shows('composing')
  assert.equal(told.length, 3)
})

describe('a guest on the line', () => {
  const guest = shareWorld()

  test('is seen typing by the server', async () => {
    const { world, writes, heard, pn, lid } = await guest()
    await writes('one moment')
    await heard(1)
    await world.event('client.subscribed', '972500000001', ({ to }) => to === pn)
    for (const state of ['composing', 'paused']) await world.control(`POST /guests/${pn}/typing`, { to: '972500000001', state })
    const seen = () => world.server.statuses.flatMap(({ payload }) => payload.presence ?? [])
    await world.server.until(() => seen().some(({ state }) => state === 'paused'))
    assert.deepEqual(new Set(seen().map(({ from }) => from)), new Set([lid]))
    assert.ok(seen().every(({ at }) => typeof at === 'number'))
  })

  test('is told of under both addresses, once they are known to belong together', async () => {
    const { world, writes, heard, pn, lid } = await guest()
    await writes('hello')
    await heard(1)
    const mappings = () => world.server.statuses.flatMap(({ payload }) => payload.mappings ?? [])
    await world.server.until(() => mappings().some(mapping => mapping.lid === lid))
    assert.deepEqual(mappings().find(mapping => mapping.lid === lid), { lid, pn: `${pn}@s.whatsapp.net` })
  })

  test('who took over a number is told of with it, as somebody else', async () => {
    const { world, writes, heard, pn, lid, arrived } = await guest()
    await writes('hello')
    await heard(1)
    const { lid: next } = await world.control(`POST /guests/${pn}/pass-on`, {})
    await writes('I am new here')
    await world.server.until(() => world.server.messages.some(({ key }) => key.remoteJid === `${next}@lid`))
    assert.deepEqual(arrived().map(({ key }) => key.remoteJid), [lid])
    const mappings = () => world.server.statuses.flatMap(({ payload }) => payload.mappings ?? [])
    await world.server.until(() => mappings().some(mapping => mapping.lid === `${next}@lid`))
  })

  test('who is first known by number alone is told of with a LID as soon as it shows', async () => {
    const { world, writes, heard, arrived, pn, lid } = await guest({ addressing: 'pn', hideAlternative: true })
    await writes('by number')
    await heard(1)
    assert.equal(arrived()[0].key.remoteJid, `${pn}@s.whatsapp.net`)
    await world.control(`PATCH /guests/${pn}`, { addressing: 'lid', hideAlternative: false })
    await writes('by LID')
    await heard(2)
    assert.deepEqual(arrived().map(({ key }) => key.remoteJid), [`${pn}@s.whatsapp.net`, lid])
    assert.equal(arrived()[1].key.remoteJidAlt, `${pn}@s.whatsapp.net`)
  })
})
