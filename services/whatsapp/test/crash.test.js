import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startFakeServer } from '../testing/fake-server.js'
import { GUEST, SECRET, makeWorld } from '../testing/sidecar-world.js'

test('a message that was journaled and not forwarded when the process was killed is forwarded by the next', async t => {
  const world = await makeWorld(t)
  const { running } = await world.linked()
  await world.server.close()
  await world.guestWrites('do not lose me')
  await running.healthy(({ journal }) => journal.waiting === 1)
  await running.kill()
  // No WhatsApp either: what is forwarded now can only come from the journal.
  await world.simulator.close()
  const server = await startFakeServer({ secret: SECRET })
  t.after(() => server.close())
  await world.sidecar({ SERVER_URL: server.url })
  await server.until(() => server.messages.length === 1)
  assert.deepEqual(server.texts(), ['do not lose me'])
})

test('killed at any moment of a burst, the sidecar loses nothing and forwards nothing out of order', async t => {
  const world = await makeWorld(t)
  let { running } = await world.linked()
  const second = '972500000003'
  await world.control('POST /guests', { pn: second, addressing: 'pn' })
  /** @type {Record<string, string[]>} */
  const written = { [GUEST]: [], [second]: [] }
  for (let round = 0; round < 5; round++) {
    const burst = Object.keys(written).map(async pn => {
      for (let n = 0; n < 6; n++) {
        const text = `${pn} round ${round} number ${n}`
        written[pn].push(text)
        await world.guestWrites(text, {}, pn)
      }
    })
    // Spread over the burst, from before its first message to after its last.
    const killed = new Promise(resolve => setTimeout(resolve, round * 20)).then(() => running.kill())
    await Promise.all([...burst, killed])
    running = await world.sidecar()
    await running.until('1', ({ state }) => state === 'open')
  }
  const total = Object.values(written).flat().length
  await world.server.until(() => world.server.messages.length === total, 30_000)
  for (const [pn, texts] of Object.entries(written)) {
    const arrived = world.server.texts().filter(text => text.startsWith(pn))
    assert.deepEqual(arrived, texts)
  }
  assert.deepEqual((await world.control('GET /state')).nacks, {})
})
