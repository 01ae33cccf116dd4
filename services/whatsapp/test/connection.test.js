import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeConnection } from '../src/connection.js'
import { makeRhythm } from '../src/rhythm.js'
import { makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeFakeSocket } from '../testing/fake-socket.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

/**
 * A connection over sockets that the test plays.
 *
 * @param {{ linked?: boolean, notes?: any[], isServerThere?: boolean, history?: any }} [options]
 */
function arrange ({ linked = true, notes = [], isServerThere = true, history = undefined } = {}) {
  const clock = makeFakeClock()
  const { logger, named } = makeQuietLogger()
  /** @type {ReturnType<typeof makeFakeSocket>[]} */
  const sockets = []
  /** @type {string[]} */
  const states = []
  /** @type {string[]} */
  const struck = []
  /** @type {string[]} */
  const unreadable = []
  const auth = {
    linked,
    fault: () => undefined,
    begin: async () => ({}),
    save: async () => {},
    wipe: async () => {
      auth.linked = false
    },
    isLinked: () => auth.linked,
    me: () => undefined
  }
  const connection = makeConnection({
    tenantId: '1',
    auth: /** @type {any} */ (auth),
    recorder: { onStanza: () => {}, recording: make => make, onUpsert: async () => {} },
    journal: /** @type {any} */ ({
      unread: () => notes,
      hold: () => {},
      knows: (/** @type {string} */ _tenant, /** @type {any} */ key) => key.id === 'KNOWN',
      countAsking: (/** @type {any} */ note) => {
        note.asked += 1
      },
      strikeNote: (/** @type {string} */ _tenant, /** @type {any} */ attrs) => void struck.push(attrs.id)
    }),
    rhythm: makeRhythm({ load: () => history, save: () => {}, clock }),
    open: () => {
      sockets.push(makeFakeSocket())
      return /** @type {any} */ (sockets.at(-1))
    },
    events: {
      onState: state => states.push(state),
      onConflict: () => {},
      onUnreadable: async ({ id }) => {
        unreadable.push(id)
        return isServerThere
      },
      onMessage: () => {},
      onChatState: () => {},
      onAck: () => {},
      onReceipts: () => {},
      onClosed: () => {}
    },
    clock,
    logger
  })

  /** Connect, and let WhatsApp say that it is open. */
  async function opened () {
    connection.connect()
    await settle()
    const socket = /** @type {ReturnType<typeof makeFakeSocket>} */ (sockets.at(-1))
    socket.update({ connection: 'open' })
    await settle()
    return socket
  }
  return { connection, clock, sockets, states, struck, unreadable, named, opened }
}

test('a line that does not answer is deaf until it is open again', async () => {
  const { connection, clock, sockets, states, opened, named } = arrange()
  const socket = await opened()
  await clock.advance(30_000)
  assert.deepEqual([connection.state(), connection.health().probeOk], ['open', true])
  socket.isAnswering = false
  await clock.advance(10_000)
  assert.equal(connection.state(), 'deaf')
  assert.equal(connection.openSocket(), undefined)
  assert.equal(named('number_deaf')[0].alert, true)
  await clock.advance(2000)
  assert.equal(sockets.length, 2)
  assert.equal(connection.state(), 'deaf')
  sockets[1].update({ connection: 'open' })
  await settle()
  assert.equal(connection.state(), 'open')
  assert.deepEqual(states, ['connecting', 'open', 'deaf', 'open'])
})

test('a linked number that stays away counts as deaf', async () => {
  const { connection, clock, opened } = arrange()
  const socket = await opened()
  socket.closeWith(428)
  await settle()
  assert.equal(connection.state(), 'connecting')
  await clock.advance(31_000)
  assert.equal(connection.state(), 'deaf')
})

test('connections that do not last are tried again ever more slowly', async () => {
  const { clock, sockets, named, opened } = arrange()
  const socket = await opened()
  socket.closeWith(503)
  for (let n = 1; n < 5; n++) {
    await clock.advance(40_000)
    sockets[n].closeWith(503)
    await settle()
  }
  assert.deepEqual(named('connection_closed').map(({ nextAttemptMs }) => nextAttemptMs), [1200, 2200, 4200, 8200, 16_200])
})

test('an attempt whose socket says nothing at all is followed by another', async () => {
  const { connection, clock, sockets, named } = arrange()
  connection.connect()
  await settle()
  await clock.advance(47_000)
  assert.equal(sockets.length, 2)
  assert.equal(named('connect_stuck').length, 1)
})

test('a QR is renewed for as long as somebody looks', async () => {
  const { connection, clock, sockets } = arrange({ linked: false })
  connection.connect()
  await settle()
  sockets[0].update({ qr: 'first' })
  await settle()
  await clock.advance(100_000)
  assert.equal(connection.look().qr, 'first')
  await clock.advance(60_000)
  sockets[0].closeWith(408)
  await clock.advance(0)
  assert.equal(sockets.length, 2)
  sockets[1].update({ qr: 'second' })
  await settle()
  await clock.advance(160_000)
  sockets[1].closeWith(408)
  await clock.advance(60_000)
  assert.equal(sockets.length, 2)
  assert.equal(connection.state(), 'disconnected')
})

test('asking for a code while a QR is shown changes the way of linking', async () => {
  const { connection, sockets } = arrange({ linked: false })
  connection.connect()
  await settle()
  sockets[0].update({ qr: 'first' })
  connection.connect('972501234567')
  await settle()
  assert.equal(sockets[0].hasEnded(), true)
  sockets[1].update({ qr: 'not shown' })
  await settle()
  const { state, pairingCode, qr } = connection.look()
  assert.deepEqual([state, pairingCode, qr], ['pairing', 'CODE4567', undefined])
})

test('a second conflict ends the attempts', async () => {
  const { connection, clock, sockets, opened } = arrange()
  const socket = await opened()
  socket.closeWith(440)
  await clock.advance(59_000)
  assert.equal(sockets.length, 1)
  await clock.advance(2000)
  assert.equal(sockets.length, 2)
  sockets[1].update({ connection: 'open' })
  await settle()
  sockets[1].closeWith(440)
  await clock.advance(600_000)
  assert.equal(sockets.length, 2)
  assert.equal(connection.state(), 'disconnected')
})

test('a number that is forgotten is told of, even if it was disconnected before', async () => {
  const { connection, states, opened } = arrange()
  const socket = await opened()
  socket.closeWith(440)
  await settle()
  await connection.logOut()
  const told = states.length
  await connection.logOut()
  assert.deepEqual(states.slice(told - 1), ['disconnected', 'disconnected'])
})

test('what was left unread is asked for again after the backlog, and given up with an alert in the end', async () => {
  const notes = [{ attrs: { id: 'A' }, asked: 0, notedAtMs: 0 }, { attrs: { id: 'B' }, asked: 3, notedAtMs: 0 }]
  const { clock, struck, named, opened } = arrange({ notes })
  const socket = await opened()
  await clock.advance(4000)
  assert.deepEqual(socket.askedAgain, [])
  await clock.advance(1000)
  assert.deepEqual(socket.askedAgain, ['A'])
  assert.equal(notes[0].asked, 1)
  assert.deepEqual(struck, ['B'])
  assert.equal(named('message_unreadable')[0].messageId, 'B')
})

test('what was left unread is asked for as soon as the backlog is through, be that before or after `open`', async () => {
  const notes = [{ attrs: { id: 'A' }, asked: 0, notedAtMs: 0 }]
  const { opened } = arrange({ notes })
  const socket = await opened()
  socket.update({ receivedPendingNotifications: true })
  await settle()
  assert.deepEqual(socket.askedAgain, ['A'])

  const other = arrange({ notes })
  other.connection.connect()
  await settle()
  other.sockets[0].update({ receivedPendingNotifications: true })
  await settle()
  assert.deepEqual(other.sockets[0].askedAgain, [])
  other.sockets[0].update({ connection: 'open' })
  await settle()
  assert.deepEqual(other.sockets[0].askedAgain, ['A'])
})

test('news of a socket that has been replaced changes nothing', async () => {
  const { connection, clock, sockets, opened } = arrange()
  const socket = await opened()
  socket.closeWith(503)
  await clock.advance(2000)
  sockets[1].update({ connection: 'open' })
  await settle()
  socket.update({ connection: 'close' })
  socket.update({ qr: 'old' })
  await settle()
  assert.equal(connection.state(), 'open')
})

test('what nobody could read is told to the server until it has heard, and only then struck out', async () => {
  const notes = [{ attrs: { id: 'B', from: '7@lid' }, asked: 3, notedAtMs: 0 }]
  const { clock, struck, unreadable, opened } = arrange({ notes, isServerThere: false })
  await opened()
  await clock.advance(66_000)
  assert.deepEqual([unreadable, struck], [['B', 'B'], []])
})

test('what has come by another way is not asked for', async () => {
  const notes = [{ attrs: { id: 'KNOWN', from: '7@lid' }, asked: 0, notedAtMs: 0 }]
  const { clock, struck, opened } = arrange({ notes })
  const socket = await opened()
  await clock.advance(5000)
  assert.deepEqual([socket.askedAgain, struck], [[], ['KNOWN']])
})

test('on a line that lasts, what stays unread is asked for every minute, and given up after ten', async () => {
  const clockStart = 1_700_000_000_000
  const notes = [{ attrs: { id: 'A', from: '7@lid' }, asked: 0, notedAtMs: clockStart }]
  const { clock, struck, unreadable, opened } = arrange({ notes })
  const socket = await opened()
  await clock.advance(9 * 60_000)
  assert.deepEqual([socket.askedAgain, struck], [['A', 'A', 'A'], []])
  await clock.advance(2 * 60_000)
  assert.deepEqual([unreadable[0], struck[0]], ['A', 'A'])
})

/** As after some weeks in which something came in every ten minutes of every hour. */
const BUSY = { since: 0, lively: new Array(168).fill(12), weeks: new Array(168).fill(2) }

test('a line that answers and yet hears nothing for far longer than usual is made anew', async () => {
  const { clock, sockets, named, opened, connection } = arrange({ history: BUSY })
  await opened()
  await clock.advance(58 * 60_000)
  assert.equal(sockets.length, 1)
  for (let n = 0; n < 24 && sockets.length === 1; n++) await clock.advance(10_000)
  assert.equal(sockets.length, 2)
  assert.equal(named('number_too_quiet').length, 1)
  sockets[1].update({ connection: 'open' })
  await settle()
  const t = String(Math.floor(clock.now() / 1000) - 30 * 60)
  sockets[1].ws.emit('frame', { tag: 'message', attrs: { id: 'X', from: '7@lid', offline: '0', t }, content: [] })
  assert.equal(named('number_was_deaf')[0].alert, true)
  assert.equal(connection.state(), 'open')
  await clock.advance(30 * 60_000)
  assert.equal(sockets.length, 2)
})

test('a line on which something comes now and then, or whose week is not known yet, is left alone', async () => {
  const { clock, sockets, opened } = arrange({ history: BUSY })
  const socket = await opened()
  for (let n = 0; n < 6; n++) {
    await clock.advance(40 * 60_000)
    socket.ws.emit('frame', { tag: 'receipt', attrs: { id: 'R', from: '7@lid' } })
  }
  assert.equal(sockets.length, 1)
  const fresh = arrange({ history: { ...BUSY, since: 1_700_000_000_000 - 3 * 24 * 60 * 60_000 } })
  await fresh.opened()
  await fresh.clock.advance(5 * 60 * 60_000)
  assert.equal(fresh.sockets.length, 1)
})
