/// <reference lib="dom" />

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'

import { openLine } from '../../../server/console/static/call_line.js'

/** The other end in a test's hands. */
class FakeSocket extends EventTarget {
  static OPEN = 1
  static CONNECTING = 0
  readyState = FakeSocket.CONNECTING
  /** @type {any[]} */
  sent = []

  /** @param {URL} url */
  constructor (url) {
    super()
    this.url = url
    socket = this
  }

  open () {
    this.readyState = FakeSocket.OPEN
    this.dispatchEvent(new Event('open'))
  }

  /** @param {string} text */
  send (text) {
    this.sent.push(JSON.parse(text))
  }

  /** @param {unknown} message */
  tell (message) {
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }))
  }

  /** @param {string} event */
  all (event) {
    return this.sent.filter(message => message.event === event)
  }
}

/** @type {FakeSocket} */
let socket
/** @type {unknown[]} */
let heard
/** @type {ReturnType<typeof openLine>} */
let line

const known = globalThis.WebSocket
before(() => {
  globalThis.WebSocket = /** @type {any} */ (FakeSocket)
})
after(() => {
  globalThis.WebSocket = known
})
beforeEach(() => {
  heard = []
  line = openLine(new URL('ws://desk.example/ws/call'), { call: 'test-1', token: 'secret' }, {
    opened: () => heard.push('opened'),
    audio: audio => heard.push([...new Uint8Array(audio)]),
    mark: number => heard.push(number),
    clear: () => heard.push('clear'),
    closed: () => heard.push('closed')
  })
})

test('a line begins with its call and its token, and not before it is open', () => {
  line.send(new Uint8Array(160))
  assert.equal(socket.sent.length, 0)
  socket.open()
  assert.deepEqual(socket.sent.map(({ event }) => event), ['connected', 'start'])
  const start = socket.sent[1].start
  assert.equal(start.callSid, 'test-1')
  assert.deepEqual(start.customParameters, { token: 'secret' })
  assert.equal(new URL(String(socket.url)).search, '')
  assert.deepEqual(heard, ['opened'])
})

test('frames are numbered, and tell the time from the first that was sent', () => {
  line.send(new Uint8Array(160))
  socket.open()
  line.send(Uint8Array.from([0, 127, 255]))
  line.send(new Uint8Array(160))
  const [first, second] = socket.all('media').map(({ media }) => media)
  assert.deepEqual(first, { track: 'inbound', chunk: '1', timestamp: '0', payload: 'AH//' })
  assert.equal(second.timestamp, '20')
})

test('a mark is told once what came before it has been played', () => {
  socket.open()
  socket.tell({ event: 'media', media: { payload: 'AH//' } })
  socket.tell({ event: 'mark', mark: { name: 's1' } })
  assert.deepEqual(heard, ['opened', [0, 127, 255], 1])
  assert.deepEqual(socket.all('mark'), [])
  line.reached(1)
  line.reached(1)
  assert.deepEqual(socket.all('mark').map(({ mark }) => mark.name), ['s1'])
})

test('what is cleared counts as played, once', () => {
  socket.open()
  socket.tell({ event: 'mark', mark: { name: 's1' } })
  socket.tell({ event: 'mark', mark: { name: 's2' } })
  socket.tell({ event: 'clear' })
  assert.equal(heard.at(-1), 'clear')
  line.reached(2)
  assert.deepEqual(socket.all('mark').map(({ mark }) => mark.name), ['s1', 's2'])
})

test('to hang up is to say so', () => {
  socket.open()
  line.hangUp()
  assert.equal(socket.all('stop')[0].stop.callSid, 'test-1')
})
