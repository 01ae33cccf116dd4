import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { openTables } from '../src/store.js'
import { HOST, makeWorld } from '../testing/sidecar-world.js'

// Side by side: they mostly wait for processes to start.
describe('linking', { concurrency: 3 }, () => {
  test('a number is linked by scanning the QR', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    const { me, state, qr } = await sidecar.call('GET /tenants/1')
    assert.deepEqual([me.pn, state, qr], [`${HOST}@s.whatsapp.net`, 'open', undefined])
    assert.match(me.lid, /^\d+@lid$/)
    await world.server.until(() => world.server.statuses.some(({ payload }) => payload.connection?.state === 'open'))
  })

  test('a number is linked by entering a code on the phone', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.addHost()
    assert.equal((await sidecar.ask('POST /tenants/1/connect', { phone: `+${HOST}` })).status, 202)
    const { pairingCode, state } = await sidecar.until('1', view => view.pairingCode)
    assert.match(pairingCode, /^[A-Z0-9]{8}$/)
    assert.equal(state, 'pairing')
    await world.control(`POST /hosts/${HOST}/enter-code`, { code: pairingCode })
    await sidecar.until('1', view => view.state === 'open')
  })

  test('an attempt to pair by code that is dropped is not taken for a link', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.addHost()
    await sidecar.call('POST /tenants/1/connect', { phone: HOST })
    await sidecar.until('1', view => view.pairingCode)
    await sidecar.kill()
    const again = await world.sidecar()
    assert.equal((await again.call('GET /tenants/1')).state, 'disconnected')
    await world.link(again)
  })

  test('connecting twice at once opens one socket', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await Promise.all([1, 2, 3].map(() => sidecar.call('POST /tenants/1/connect', {})))
    const { qr } = await sidecar.until('1', view => view.qr)
    await sidecar.call('POST /tenants/1/connect', {})
    assert.equal((await sidecar.call('GET /tenants/1')).qr, qr)
    assert.equal((await world.control('GET /state')).connections, 1)
  })

  test('a linked number connects by itself when the sidecar starts, as the same device', async t => {
    const world = await makeWorld(t)
    const first = await world.sidecar()
    await world.link(first)
    assert.equal(await first.kill('SIGTERM'), 0)
    const second = await world.sidecar()
    await second.until('1', view => view.state === 'open')
    const { devices } = await world.control(`GET /hosts/${HOST}`)
    assert.deepEqual(devices.map((/** @type {any} */ device) => device.connected), [true])
  })

  test('a stream that ends for a passing reason is taken up again with the same link', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    // Counted in the log: the time between two links may be too short to be seen from outside.
    const opened = () => sidecar.events('connection_state').filter(({ state }) => state === 'open').length
    for (const code of [428, 500, 503, 515]) {
      const before = opened()
      await world.control('POST /faults', { kind: 'disconnect', code, pn: HOST })
      await sidecar.until('1', view => view.state === 'open' && opened() > before)
    }
    assert.equal((await world.control(`GET /hosts/${HOST}`)).devices.length, 1)
  })

  for (const mode of ['reset', 'http']) {
    test(`a WhatsApp that lets nobody in (${mode}) is tried again`, async t => {
      const world = await makeWorld(t)
      const sidecar = await world.sidecar()
      await world.link(sidecar)
      const opened = () => sidecar.events('connection_state').filter(({ state }) => state === 'open').length
      const before = opened()
      await world.control('POST /faults', { kind: 'refuse', mode })
      await world.control('POST /faults', { kind: 'disconnect', code: 515, pn: HOST })
      await sidecar.until('1', view => view.state === 'open' && opened() > before)
      assert.deepEqual((await world.control('GET /state')).faults, [])
    })
  }

  test('a link that another client took over is not fought for', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    await world.control('POST /faults', { kind: 'disconnect', code: 440, pn: HOST })
    const { reason } = await sidecar.until('1', view => view.state !== 'open')
    assert.match(reason, /another program/)
    const [closed] = sidecar.events('connection_closed').filter(({ code }) => code === 440)
    assert.equal(closed.nextAttemptMs, 60_000)
  })

  test('a link that is removed on the phone is forgotten, and a new one can be made', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    await world.control(`POST /hosts/${HOST}/unlink`, {})
    await sidecar.until('1', view => view.state === 'logged_out')
    await sidecar.call('POST /tenants/1/connect', {})
    const { qr } = await sidecar.until('1', view => view.qr)
    await world.control(`POST /hosts/${HOST}/scan`, { qr })
    await sidecar.until('1', view => view.state === 'open')
  })

  test('deleting a tenant logs out on the phone and leaves nothing to connect with', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    assert.equal((await sidecar.ask('DELETE /tenants/1')).status, 204)
    assert.equal((await sidecar.call('GET /tenants/1')).state, 'disconnected')
    await world.event('host.unlinked', HOST)
    await sidecar.kill('SIGTERM')
    const again = await world.sidecar()
    assert.deepEqual((await again.call('GET /health')).tenants, [])
  })

  test('a garbled identity blocks the number until an operator deletes it: never a new QR by itself', async t => {
    const world = await makeWorld(t)
    const first = await world.sidecar()
    await world.link(first)
    await first.kill()
    const store = openTables(first.directory)
    await store.creds.put('1', store.creds.get('1').slice(0, 400))
    await store.close()

    const second = await world.sidecar()
    const { state, reason, qr } = await second.call('GET /tenants/1')
    assert.deepEqual([state, qr], ['blocked', undefined])
    assert.match(reason, /cannot be read/)
    assert.equal((await second.ask('POST /tenants/1/connect', {})).status, 409)
    assert.equal((await second.call('GET /tenants/1')).state, 'blocked')

    await second.call('DELETE /tenants/1')
    await second.call('POST /tenants/1/connect', {})
    await second.until('1', view => view.qr)
  })

  test('two numbers are served side by side', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    await world.link(sidecar, { tenantId: 'hotel-2', pn: '972500000009' })
    const { tenants, status } = await sidecar.call('GET /health')
    assert.equal(status, 'ok')
    assert.deepEqual(tenants.map((/** @type {any} */ { tenantId, state }) => [tenantId, state]), [['1', 'open'], ['hotel-2', 'open']])
  })

  test('a second sidecar on the same data directory is turned away in one sentence', async t => {
    const world = await makeWorld(t)
    await world.sidecar()
    await assert.rejects(world.sidecar(), error => {
      const { message, code } = /** @type {Error & { code: number }} */ (error)
      assert.match(message, /^Another WhatsApp sidecar \(process \d+\) already uses .*DATA_DIR of its own\.\n?$/)
      return code === 1
    })
  })

  test('a taken port is told in one sentence', async t => {
    const world = await makeWorld(t)
    const { port } = await world.sidecar()
    await assert.rejects(world.sidecar({ DATA_DIR: `${world.dataDir}/other`, WHATSAPP_PORT: String(port) }), /^Error: Port \d+ on 127\.0\.0\.1 is taken: [^\n]*\n?$/)
  })

  test('an idle sidecar stops within a second', async t => {
    const world = await makeWorld(t)
    const sidecar = await world.sidecar()
    await world.link(sidecar)
    const startedAt = Date.now()
    assert.equal(await sidecar.kill('SIGTERM'), 0)
    assert.ok(Date.now() - startedAt < 1000, `${Date.now() - startedAt} ms`)
  })
})
