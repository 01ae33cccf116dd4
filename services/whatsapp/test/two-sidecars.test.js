import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { eventually } from '../testing/fake-clock.js'
import { GUEST, HOST, makeWorld } from '../testing/sidecar-world.js'
import { sharedPostgres } from '../testing/stores.js'

/** Short, so that little time is lost; long enough for a machine that is busy with other tests. */
const LEASE_S = 6

/** @typedef {import('../testing/sidecar-world.js').Sidecar} Sidecar */

describe('two sidecars on one database', () => {
  const postgres = sharedPostgres()

  /** @param {import('node:test').TestContext} t */
  async function arrange (t) {
    const scratch = await postgres().database(t)
    const world = await makeWorld(t)
    const sidecar = (env = {}) => world.sidecar({ DATABASE_URL: scratch.url, LEASE_S: String(LEASE_S), ...env })
    // Linking makes hundreds of keys at a stretch; a short lease could run out over it.
    const linker = await sidecar({ LEASE_S: '30' })
    await world.link(linker)
    const { lid } = await world.control('POST /guests', { pn: GUEST })
    assert.equal(await linker.kill('SIGTERM'), 0)
    const both = await Promise.all([sidecar(), sidecar()])

    /** Tell the two apart, once the number is connected. @param {Sidecar[]} pair */
    async function settled (pair) {
      const states = await Promise.all(pair.map(async one => (await one.call('GET /tenants/1')).state))
      const at = states.indexOf('open')
      return at < 0 ? undefined : { holder: pair[at], other: pair[1 - at] }
    }

    /** @param {Sidecar[]} [pair] */
    async function roles (pair = both) {
      for (const until = Date.now() + 20_000; Date.now() < until;) {
        const found = await settled(pair)
        if (found) return found
        await new Promise(resolve => setTimeout(resolve, 50))
      }
      throw new Error(`nobody holds the number\n${pair.map(one => one.output()).join('\n\n')}`)
    }

    return { scratch, world, sidecar, roles, guest: `${lid}@lid` }
  }

  test('when the holder is killed in a burst, the other goes on: nothing lost, nothing twice, all in order', async t => {
    const { world, sidecar, roles, guest } = await arrange(t)
    let { holder, other } = await roles()
    /** @type {string[]} */
    const written = []
    for (let round = 0; round < 4; round++) {
      const burst = async () => {
        for (let n = 0; n < 8; n++) {
          written.push(`round ${round} number ${n}`)
          await world.guestWrites(written[written.length - 1])
        }
      }
      // Spread over the burst, from before its first message to after its last.
      const killed = new Promise(resolve => setTimeout(resolve, round * 30)).then(() => holder.kill())
      await Promise.all([burst(), killed])
      ;({ holder, other } = await roles([other, await sidecar()]))
      const { status } = await holder.send({ to: guest, text: `reply ${round}`, messageId: `REPLY${round}` })
      assert.equal(status, 200)
    }
    await world.server.until(() => world.server.messages.length === written.length, 30_000)
    assert.deepEqual(world.server.texts(), written)
    assert.equal((await world.control(`GET /hosts/${HOST}`)).devices.length, 1)
    assert.deepEqual((await world.control('GET /state')).nacks, {})
  })

  test('a holder that was paused past its lease wakes up to nothing: it neither writes nor sends, and closes', async t => {
    const { world, scratch, roles, guest } = await arrange(t)
    const { holder, other } = await roles()
    holder.child.kill('SIGSTOP')
    // Asked while it sleeps, answered when it has woken up.
    const late = holder.send({ to: guest, text: 'too late', messageId: 'LATE' })
    await world.guestWrites('who hears me?')
    await other.until('1', ({ state }) => state === 'open')
    await world.server.until(() => world.server.messages.length === 1)
    // Now the other is the one that sleeps: whatever is written from here on, the first has written.
    other.child.kill('SIGSTOP')
    await scratch.rows('UPDATE whatsapp_numbers SET held_until = clock_timestamp() + interval \'1 hour\'')
    const { owner, token } = await scratch.number()
    const before = await scratch.entries()
    holder.child.kill('SIGCONT')
    assert.deepEqual(await late, { status: 503, body: { error: 'not_here' } })
    await holder.until('1', ({ state, url }) => state === 'disconnected' && url === `http://127.0.0.1:${other.port}`)
    await eventually(() => holder.events('number_lost').length === 1)
    assert.deepEqual((await holder.call('GET /health')).tenants, [])
    const after = await scratch.number()
    assert.deepEqual([after.owner, after.token], [owner, token])
    assert.deepEqual(await scratch.entries(), before)
    assert.deepEqual((await world.control(`GET /guests/${GUEST}`)).received, [])
    assert.deepEqual(world.server.texts(), ['who hears me?'])
  })

  test('a send is the same send after the number has moved', async t => {
    const { world, roles, guest } = await arrange(t)
    const { holder, other } = await roles()
    const body = { to: guest, text: 'once', messageId: 'ONCE' }
    assert.equal((await holder.send(body)).status, 200)
    assert.deepEqual((await other.send(body)), { status: 503, body: { error: 'not_here' } })
    assert.equal((await other.ask('POST /sendTyping', { tenantId: '1', to: guest, state: 'composing' })).status, 503)
    assert.equal((await other.ask('POST /tenants/1/connect', {})).status, 409)
    const startedAt = Date.now()
    assert.equal(await holder.kill('SIGTERM'), 0)
    await other.until('1', ({ state }) => state === 'open')
    assert.ok(Date.now() - startedAt < LEASE_S * 1000, 'given up at once, not left to run out')
    assert.equal((await other.send(body)).status, 200)
    assert.equal((await other.send({ ...body, text: 'other' })).status, 409)
    const received = await world.event('guest.received', GUEST, event => event.id === 'ONCE')
    assert.ok(received)
  })

  test('a database that restarts loses nothing', async t => {
    const { world, scratch, roles } = await arrange(t)
    await roles()
    /** @type {string[]} */
    const written = []
    for (let n = 0; n < 12; n++) {
      if (n === 4) await postgres().stop()
      if (n === 8) await postgres().start()
      written.push(`number ${n}`)
      await world.guestWrites(`number ${n}`)
    }
    await world.server.until(() => world.server.messages.length === written.length, 30_000)
    assert.deepEqual(world.server.texts(), written)
    await eventually(() => world.server.posts() >= written.length)
    assert.equal((await scratch.number()).is_wanted, true)
  })

  test('a database that is away for longer than a lease closes the number, and loses nothing', async t => {
    const { world, roles, guest } = await arrange(t)
    const { holder, other } = await roles()
    await world.guestWrites('before')
    await world.server.until(() => world.server.messages.length === 1)
    await postgres().stop()
    await world.guestWrites('meanwhile')
    await eventually(() => holder.events('number_lost').length === 1, 10_000)
    assert.equal((await holder.send({ to: guest, text: 'no', messageId: 'NO' })).body.error, 'not_here')
    // Nobody can have taken the number meanwhile: this is the holder's own doing.
    while ((await world.control(`GET /hosts/${HOST}`)).devices[0].connected) await new Promise(resolve => setTimeout(resolve, 20))
    await world.guestWrites('later')
    await postgres().start()
    await roles([holder, other])
    await world.server.until(() => world.server.messages.length === 3, 30_000)
    assert.deepEqual(world.server.texts(), ['before', 'meanwhile', 'later'])
    assert.deepEqual([holder.child.exitCode, other.child.exitCode], [null, null])
  })

  test('a number that was logged out is nobody\'s, and can be linked through any sidecar', async t => {
    const { world, scratch, roles } = await arrange(t)
    const { holder, other } = await roles()
    assert.equal((await other.ask('DELETE /tenants/1')).status, 409)
    assert.equal((await holder.ask('DELETE /tenants/1')).status, 204)
    while ((await scratch.number()).owner) await new Promise(resolve => setImmediate(resolve))
    assert.equal((await scratch.number()).is_wanted, false)
    assert.equal((await other.ask('POST /tenants/nobody/connect', {})).status, 404)
    await other.call('POST /tenants/1/connect', {})
    assert.ok((await other.until('1', ({ qr }) => qr)).qr)
    assert.equal((await world.control(`GET /hosts/${HOST}`)).devices.length, 0)
  })
})
