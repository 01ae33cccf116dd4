import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBench } from '../testing/bench.js'

const HOST = '390650000001'
const bench = await makeBench()
const { client } = await bench.linkedHost(HOST)

let guests = 0
/** A guest whose phone the host has written to, so that nothing needs to be looked up any more. */
async function acquaintance () {
  const pn = `97255000000${guests++}`
  const { lid } = await bench.call('/guests', { pn })
  const jid = `${lid}@lid`
  const id = await client.send(jid, 'welcome')
  await bench.event('guest.received', pn, event => event.id === id)
  const phone = () => bench.call(`/guests/${pn}`)
  return { pn, lid, jid, phone, texts: async () => (await phone()).received.map((/** @type {any} */ { text }) => text) }
}

/** @param {object} wish */
const fault = wish => bench.call('/faults', wish)

test('a message that is dropped on its way out is neither acknowledged nor received', async () => {
  const { pn, jid, texts } = await acquaintance()
  await fault({ kind: 'drop', way: 'out', pn })
  const lost = await client.send(jid, 'lost')
  const second = await client.send(jid, 'second')
  await bench.event('guest.received', pn, event => event.id === second)
  assert.deepEqual(await texts(), ['welcome', 'second'])
  const { events } = await bench.call('/events?type=message.acked')
  assert.equal(events.some((/** @type {any} */ { id }) => id === lost), false)
})

test('a message that is delayed or held back on its way out is overtaken by the next', async () => {
  const { pn, jid, texts } = await acquaintance()
  await fault({ kind: 'reorder', way: 'out', pn })
  const first = await client.send(jid, 'first')
  await client.send(jid, 'second')
  await bench.event('guest.received', pn, event => event.id === first)
  await fault({ kind: 'delay', ms: 60, way: 'out', pn })
  const third = await client.send(jid, 'third')
  await client.send(jid, 'fourth')
  await bench.event('guest.received', pn, event => event.id === third)
  assert.deepEqual(await texts(), ['welcome', 'second', 'first', 'fourth', 'third'])
})

test('the same bytes twice are received once and counted', async () => {
  const { pn, jid, phone } = await acquaintance()
  await fault({ kind: 'duplicate', way: 'out', pn })
  const id = await client.send(jid, 'once')
  const next = await client.send(jid, 'next')
  await bench.event('guest.received', pn, event => event.id === next)
  const { timesById, repeatedDeliveries, undecryptable } = await phone()
  assert.deepEqual([timesById[id], repeatedDeliveries, undecryptable], [1, 1, 0])
})

test('with a chance of one in two, about half are struck, as long as the fault lasts', async () => {
  const { pn, jid, phone } = await acquaintance()
  await fault({ kind: 'duplicate', way: 'out', pn, probability: 0.5, forMs: 60_000 })
  for (let n = 0; n < 40; n++) await client.send(jid, `line ${n}`)
  await bench.event('guest.received', pn, event => event.text === 'line 39')
  const { repeatedDeliveries } = await phone()
  assert.ok(repeatedDeliveries > 8 && repeatedDeliveries < 32, String(repeatedDeliveries))
  await bench.call('/faults', undefined, 'DELETE')
})

test('a fault that has had its time strikes no more', async () => {
  const { pn, jid } = await acquaintance()
  await fault({ kind: 'drop', way: 'out', pn, forMs: 1 })
  await new Promise(resolve => setTimeout(resolve, 5))
  const id = await client.send(jid, 'late enough')
  await bench.event('guest.received', pn, event => event.id === id)
})

test('a number that is passed on belongs to another phone with another LID', async () => {
  const { pn, lid, jid } = await acquaintance()
  const successor = await bench.call(`/guests/${pn}/pass-on`, { name: 'Somebody else' })
  assert.equal(successor.status, 201)
  assert.notEqual(successor.lid, lid)
  const { id } = await bench.call(`/guests/${pn}/send`, { to: HOST, text: 'I am new here' })
  const message = await client.message(({ key, message }) => key.id === id && Boolean(message))
  assert.deepEqual([message.key.remoteJid, message.key.remoteJidAlt], [`${successor.lid}@lid`, `${pn}@s.whatsapp.net`])
  const reply = await client.send(`${successor.lid}@lid`, 'welcome to you too')
  await bench.event('guest.received', pn, event => event.id === reply)
  const { guests: phones } = await bench.call('/guests')
  const former = phones.find((/** @type {any} */ phone) => `${phone.lid}@lid` === jid)
  assert.deepEqual(former.received.map((/** @type {any} */ { text }) => text), ['welcome'])
})

test('a server that withholds answers requests and takes messages, and hands over at the next login', async () => {
  const { pn, jid } = await acquaintance()
  await fault({ kind: 'withhold', pn: HOST })
  const { id } = await bench.call(`/guests/${pn}/send`, { to: HOST, text: 'do you hear me?' })
  const usync = await client.socket?.getUSyncDevices([jid], false, false)
  assert.equal(usync?.length, 1)
  const reply = await client.send(jid, 'still there?')
  await bench.event('guest.received', pn, event => event.id === reply)
  assert.equal(client.messages.some(({ key }) => key.id === id), false)
  await client.close()
  client.connect()
  await client.opened()
  await client.message(({ key, message }) => key.id === id && Boolean(message))
})

test('a server that refuses for a while takes the client in afterwards', async () => {
  await client.close()
  await fault({ kind: 'refuse', forMs: 150 })
  client.connect()
  assert.equal(typeof await client.closed(), 'number')
  await new Promise(resolve => setTimeout(resolve, 150))
  client.connect()
  await client.opened()
})

test('a fault on the way out of anything but messages is refused', async () => {
  assert.equal((await fault({ kind: 'drop', way: 'out', stanza: 'receipt' })).status, 422)
  assert.equal((await fault({ kind: 'drop', way: 'sideways' })).status, 422)
})
