import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { startSimulator } from '../../../simulators/whatsapp/src/simulator.js'
import { readConfig } from '../src/config.js'
import { startSidecar } from '../src/sidecar.js'
import { openStore } from '../src/store.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { startFakeServer } from '../testing/fake-server.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { scratchDirectory } from '../testing/scratch.js'
import { GUEST, HOST, SECRET, makeWorld } from '../testing/sidecar-world.js'

/** As after some weeks in which something came in every ten minutes of every hour. */
const BUSY = { since: 0, lively: new Array(168).fill(12), weeks: new Array(168).fill(2) }
const PATIENCE_MS = 15_000

/**
 * A linked number over real sockets, in this process, with a clock that is turned by hand.
 *
 * @param {import('node:test').TestContext} t
 * @param {{ history?: object }} [options]
 */
async function linked (t, { history } = {}) {
  const simulator = await startSimulator({ seed: 3 })
  const server = await startFakeServer({ secret: SECRET })
  const dataDir = scratchDirectory(t)
  // Behind the simulator's clock, so that what guests write is always later.
  const clock = makeFakeClock(Date.now() - 60_000)
  const { logger, named } = makeQuietLogger()
  if (history) {
    const store = openStore(join(dataDir, 'whatsapp'))
    await store.meta.put(['1', 'rhythm'], history)
    await store.close()
  }
  const config = readConfig({
    DATA_DIR: dataDir,
    INTERNAL_SECRET: SECRET,
    SERVER_URL: server.url,
    WHATSAPP_PORT: '0',
    WHATSAPP_SOCKET_URL: simulator.socketUrl
  })
  const sidecar = await startSidecar({ config, logger, clock })
  t.after(async () => {
    await sidecar.stop()
    await server.close()
    await simulator.close()
  })

  /** @param {string} line @param {object} [body] @param {string} [base] @returns {Promise<any>} */
  async function call (line, body, base = simulator.controlUrl) {
    const [method, path] = line.split(' ')
    const headers = { 'x-internal-secret': SECRET }
    const response = await fetch(base + path, { method, headers, ...(body && { body: JSON.stringify(body) }) })
    return response.json()
  }

  /**
   * Let a little time pass, again and again, until it is so.
   *
   * @param {() => unknown} isSo
   */
  async function until (isSo) {
    for (const limit = Date.now() + PATIENCE_MS; ;) {
      const found = await isSo()
      if (found) return found
      if (Date.now() > limit) throw new Error(`not in ${PATIENCE_MS} ms: ${isSo}`)
      await clock.advance(50)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  const own = `http://127.0.0.1:${sidecar.port}`
  const look = () => call('GET /tenants/1', undefined, own)
  /** @param {string} state */
  const isIn = state => until(async () => (await look()).state === state)
  const fault = (/** @type {object} */ wish) => call('POST /faults', wish)

  await call('POST /hosts', { pn: HOST, name: 'Casa Prova' })
  await call('POST /guests', { pn: GUEST })
  await call('POST /tenants/1/connect', {}, own)
  const qr = await until(async () => (await look()).qr)
  await call(`POST /hosts/${HOST}/scan`, { qr })
  await isIn('open')
  const writes = async (/** @type {string} */ text, more = {}) =>
    (await call(`POST /guests/${GUEST}/send`, { to: HOST, text, ...more })).id
  return { simulator, server, clock, named, call, look, isIn, until, fault, writes }
}

describe('a line', { concurrency: 3 }, () => {
  test('to a silent peer is deaf, and open again after a new login', async t => {
    const { clock, fault, isIn, until, named, server } = await linked(t)
    await fault({ kind: 'silent', pn: HOST })
    await clock.advance(10_000)
    await until(() => named('number_deaf').length > 0)
    await isIn('open')
    assert.equal(named('number_deaf').length, 1)
    const states = () => server.statuses.flatMap(({ payload }) => payload.connection ?? [])
    await until(() => states().at(-1).state === 'open')
    assert.deepEqual([states().at(-1).since, states().at(-1).linked], [null, true])
    assert.ok(states().some(({ state, since }) => state !== 'open' && typeof since === 'number'))
  })

  test('that answers every question and hands over nothing is found by its silence', async t => {
    const { clock, fault, until, named, server, writes } = await linked(t, { history: BUSY })
    await writes('one')
    await until(() => server.texts().length === 1)
    await fault({ kind: 'withhold', pn: HOST })
    await writes('two')
    await clock.advance(65 * 60_000)
    await until(() => server.texts().length === 2)
    assert.deepEqual(server.texts(), ['one', 'two'])
    assert.equal(named('number_too_quiet').length, 1)
    assert.equal(named('number_was_deaf').length, 1)
    assert.equal(named('number_deaf').length, 0)
  })

  test('that was removed on the phone, or that WhatsApp refuses, is told as what it is', async t => {
    const { fault, isIn, look, until, server } = await linked(t)
    await fault({ kind: 'disconnect', code: 403, pn: HOST })
    await isIn('blocked')
    assert.match((await look()).reason, /403/)
    await until(() => server.statuses.some(({ payload }) =>
      payload.connection?.state === 'blocked' && /403/.test(payload.connection.reason) && payload.connection.linked))
    const other = await linked(t)
    await other.call(`POST /hosts/${HOST}/unlink`, {})
    await other.isIn('logged_out')
    await other.until(() => other.server.statuses.some(({ payload }) => payload.connection?.state === 'logged_out'))
  })

  test('that another client takes over is tried once more after a minute, and then left', async t => {
    const { clock, fault, isIn, look, until, named } = await linked(t)
    await fault({ kind: 'disconnect', code: 440, pn: HOST })
    await until(() => named('connection_closed').some(({ code }) => code === 440))
    await clock.advance(61_000)
    await isIn('open')
    await fault({ kind: 'disconnect', code: 440, pn: HOST })
    await isIn('disconnected')
    await clock.advance(30 * 60_000)
    assert.match((await look()).reason, /stop it, then connect again/)
  })

  test('tells of a message that never becomes readable, and takes it once when it does after all', async t => {
    const { clock, call, fault, until, server, writes, named } = await linked(t)
    await fault({ kind: 'drop', pn: GUEST, after: 1, forMs: 600_000 })
    const id = await writes('hard to read', { broken: true })
    for (let minute = 0; minute < 12; minute++) {
      await clock.advance(60_000)
      await new Promise(resolve => setTimeout(resolve, 30))
    }
    const unreadable = () => server.statuses.flatMap(({ payload }) => payload.unreadable ?? [])
    await until(() => unreadable().length > 0)
    assert.deepEqual(unreadable().map(message => message.id), [id])
    assert.equal(named('message_unreadable')[0].alert, true)
    assert.deepEqual(server.messages, [])

    await call('DELETE /faults')
    await fault({ kind: 'disconnect', code: 503, pn: HOST })
    await until(() => server.texts().length === 1)
    assert.deepEqual(server.texts(), ['hard to read'])
    assert.equal(unreadable().length, 1)
  })
})

test('what WhatsApp has refused with 463 stays refused over a restart, and is not tried again', async t => {
  const world = await makeWorld(t)
  const { running, lid } = await world.linked()
  await world.control('POST /faults', { kind: 'ack-error', code: 463, pn: GUEST })
  const send = { to: `${lid}@lid`, text: 'hello', messageId: 'M463' }
  const first = await running.send(send)
  assert.deepEqual([first.status, first.body.code], [502, 463])
  const { tenants } = await running.call('GET /health')
  assert.equal(tenants[0].banRisk, 0.4)
  await running.kill()
  const again = await world.sidecar()
  await again.until('1', view => view.state === 'open')
  const second = await again.send(send)
  assert.deepEqual([second.status, second.body.code], [502, 463])
  assert.equal((await world.control('GET /state')).refusedMessages, 1)
  assert.deepEqual((await world.control(`GET /guests/${GUEST}`)).received, [])
})

test('a message that could not be read before a restart is taken once after it', async t => {
  const world = await makeWorld(t)
  const { running } = await world.linked()
  await world.control('POST /faults', { kind: 'drop', pn: GUEST, after: 1, forMs: 600_000 })
  await world.guestWrites('garbled at first', { broken: true })
  await world.event('guest.receipt', GUEST, ({ receipt }) => receipt === 'retry')
  await running.kill()
  await world.control('DELETE /faults')
  await world.sidecar()
  await world.server.until(() => world.server.messages.length > 0, 20_000)
  await world.guestWrites('and then')
  await world.server.until(() => world.server.messages.length > 1)
  assert.deepEqual(world.server.texts(), ['garbled at first', 'and then'])
})
