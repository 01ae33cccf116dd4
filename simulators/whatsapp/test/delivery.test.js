import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeBench } from '../testing/bench.js'

const HOST = '390620000001'
const bench = await makeBench()
/** @type {Map<string, import('baileys').proto.IMessage>} what the client can send again */
const outbox = new Map()
const { client } = await bench.linkedHost(HOST, {
  getMessage: async (/** @type {import('baileys').WAMessageKey} */ { id }) => outbox.get(id ?? '')
})

let guests = 0
/** A guest with whom the host has talked, so that there is a session both ways. */
async function acquaintance () {
  const pn = `97252000000${guests++}`
  const { lid } = await bench.call('/guests', { pn })
  const { id } = await bench.call(`/guests/${pn}/send`, { to: HOST, text: `hello from ${pn}` })
  await client.message(({ key }) => key.id === id)
  const reply = await client.send(`${lid}@lid`, `welcome ${pn}`)
  await bench.event('guest.received', pn, event => event.id === reply)
  return { pn, jid: `${lid}@lid` }
}

/** @param {string} pn @param {object} wish @returns {Promise<string>} */
async function send (pn, wish) {
  return (await bench.call(`/guests/${pn}/send`, { to: HOST, ...wish })).id
}

/** @param {string} id @param {number} [times] */
function arrived (id, times = 1) {
  return client.until(() => {
    const found = client.messages.filter(({ key, message }) => key.id === id && message)
    return found.length >= times ? found : undefined
  }, `${times} times ${id}`)
}

async function reconnect () {
  client.connect()
  await client.opened()
}

for (const stage of ['first', 'later']) {
  test(`a broken ciphertext (${stage} message) is asked for again and comes under the same id`, async () => {
    const { pn } = await acquaintance()
    if (stage === 'first') await bench.call(`/guests/${pn}/forget-sessions`, {})
    const id = await send(pn, { text: 'noise on the line', broken: true })
    const [message] = await arrived(id)
    assert.equal(message?.message?.conversation, 'noise on the line')
    await bench.event('guest.receipt', pn, event => event.id === id && event.receipt === 'retry')
    await bench.event('guest.receipt', pn, event => event.id === id && event.receipt === 'inactive')
    await bench.event('client.nack', HOST, event => event.id === id && event.error === '500')
  })
}

test('a phone that cannot decrypt asks again, and gets the message under the same id', async () => {
  const { pn, jid } = await acquaintance()
  await bench.call(`/guests/${pn}/forget-sessions`, {})
  outbox.set('AGAIN', { conversation: 'second try' })
  await client.send(jid, 'second try', { messageId: 'AGAIN' })
  const received = await bench.event('guest.received', pn, ({ id }) => id === 'AGAIN')
  assert.equal(received.text, 'second try')
  assert.equal(received.encType, 'pkmsg')
  const { undecryptable, timesById } = await bench.call(`/guests/${pn}`)
  assert.equal(undecryptable, 1)
  assert.equal(timesById.AGAIN, 1)
})

test('what comes while the client is away waits for it, in order', async () => {
  const { pn } = await acquaintance()
  await client.close()
  await bench.event('host.disconnected', HOST)
  /** @type {string[]} */
  const ids = []
  for (const text of ['one', 'two', 'three']) ids.push(await send(pn, { text }))
  await reconnect()
  for (const id of ids) assert.equal((await arrived(id))[0]?.upsert, 'append')
  const order = client.messages.map(({ key }) => key.id).filter(id => ids.includes(id ?? ''))
  assert.deepEqual(order, ids)
})

test('a stanza that is lost comes again at the next login, and then no more', async () => {
  const { pn } = await acquaintance()
  await bench.call('/faults', { kind: 'drop', pn, after: 1 })
  const [kept, lost] = [await send(pn, { text: 'kept' }), await send(pn, { text: 'lost' })]
  await arrived(kept)
  const later = await send(pn, { text: 'later' })
  await arrived(later)
  assert.equal(client.messages.some(({ key }) => key.id === lost), false)
  await client.close()
  await reconnect()
  await arrived(lost)
  await bench.event('guest.receipt', pn, ({ id }) => id === lost)
  await client.close()
  await reconnect()
  const connections = await bench.call(`/events?type=host.connected&pn=${HOST}`)
  assert.equal(connections.events.at(-1).backlog, 0)
  assert.equal(client.messages.filter(({ key }) => key.id === lost).length, 1)
})

test('a message that was not confirmed before a cut is delivered again', async () => {
  const { pn } = await acquaintance()
  await bench.call('/faults', { kind: 'disconnect', code: 428, at: 'guest-message', pn })
  const id = await send(pn, { text: 'cut off' })
  assert.equal(await client.closed(), 428)
  await reconnect()
  await bench.event('guest.receipt', pn, event => event.id === id)
})

test('a backlog that is cut off in the middle comes whole at the next login', async () => {
  const { pn } = await acquaintance()
  await client.close()
  await bench.call('/faults', { kind: 'disconnect', code: 428, at: 'guest-message', pn, after: 1 })
  const ids = []
  for (const text of ['four', 'five', 'six']) ids.push(await send(pn, { text }))
  client.connect()
  assert.equal(await client.closed(), 428)
  await reconnect()
  for (const id of ids) await arrived(id)
})

test('a message can come twice, encrypted anew or as the same bytes', async () => {
  const { pn } = await acquaintance()
  await bench.call('/faults', { kind: 'duplicate', pn, mode: 'again' })
  await arrived(await send(pn, { text: 'anew' }), 2)
  await bench.call('/faults', { kind: 'duplicate', pn })
  const id = await send(pn, { text: 'the same' })
  // Baileys cannot use a key twice, asks for the message again and so passes it on twice.
  await bench.event('guest.receipt', pn, event => event.id === id && event.receipt === 'retry')
  await arrived(id, 2)
})

test('two messages can change places, and one can come late', async () => {
  const { pn } = await acquaintance()
  await bench.call('/faults', { kind: 'reorder', pn })
  const [first, second] = [await send(pn, { text: 'first' }), await send(pn, { text: 'second' })]
  await arrived(first)
  const order = client.messages.map(({ key }) => key.id)
  assert.ok(order.indexOf(second) < order.indexOf(first))
  await bench.call('/faults', { kind: 'delay', pn, ms: 150 })
  const before = Date.now()
  await arrived(await send(pn, { text: 'late' }))
  assert.ok(Date.now() - before >= 150)
})

test('the server refuses with the code that a fault names, and the guest gets nothing', async () => {
  const { pn, jid } = await acquaintance()
  await bench.call('/faults', { kind: 'ack-error', code: 463, pn })
  const refused = await client.send(jid, 'too eager')
  await client.stanza(({ tag, attrs }) => tag === 'ack' && attrs.id === refused && attrs.error === '463')
  const next = await client.send(jid, 'allowed again')
  await bench.event('guest.received', pn, ({ id }) => id === next)
  assert.equal((await bench.call(`/guests/${pn}`)).timesById[refused], undefined)
})

test('an ack can stay away or come late, with the message delivered or not', async () => {
  const { pn, jid } = await acquaintance()
  const isAck = (/** @type {string} */ id) => client.stanzas.some(({ tag, attrs }) => tag === 'ack' && attrs.id === id)
  await bench.call('/faults', { kind: 'no-ack', pn })
  const silent = await client.send(jid, 'delivered, not acknowledged')
  await bench.event('guest.received', pn, ({ id }) => id === silent)
  await bench.call('/faults', { kind: 'no-ack', pn, delivered: false })
  const lost = await client.send(jid, 'neither')
  await bench.call('/faults', { kind: 'ack-delay', pn, ms: 100 })
  const late = await client.send(jid, 'late')
  await bench.event('guest.received', pn, ({ id }) => id === late)
  await client.stanza(({ tag, attrs }) => tag === 'ack' && attrs.id === late)
  assert.deepEqual([silent, lost].map(isAck), [false, false])
  assert.equal((await bench.call(`/guests/${pn}`)).timesById[lost], undefined)
})

test('a client can be cut off between its message and the ack', async () => {
  const { pn, jid } = await acquaintance()
  await bench.call('/faults', { kind: 'disconnect', code: 503, at: 'client-message', pn })
  const id = await client.send(jid, 'did it go?')
  assert.equal(await client.closed(), 503)
  await bench.event('guest.received', pn, event => event.id === id)
  await reconnect()
})

for (const code of [515, 503, 500, 440, 428, 401, 403, 405]) {
  test(`the connection can end with ${code}`, async () => {
    await bench.call('/faults', { kind: 'disconnect', code, pn: HOST })
    assert.equal(await client.closed(), code)
    await reconnect()
  })
}

test('a login can be refused once', async () => {
  await client.close()
  await bench.call('/faults', { kind: 'disconnect', code: 405, at: 'login', pn: HOST })
  client.connect()
  assert.equal(await client.closed(), 405)
  await reconnect()
})

test('the socket can be refused before any handshake', async () => {
  await client.close()
  await bench.call('/faults', { kind: 'refuse' })
  client.connect()
  assert.equal(await client.closed(), 408)
  await reconnect()
})

test('a line that goes silent answers nothing, and the server keeps what is unconfirmed', async () => {
  const { pn } = await acquaintance()
  await client.close()
  await reconnect()
  await bench.call('/faults', { kind: 'silent', pn: HOST })
  const id = await send(pn, { text: 'into the void' })
  const answer = client.socket?.query({ tag: 'iq', attrs: { to: '@s.whatsapp.net', type: 'get', xmlns: 'w:p' } }, 200)
  await assert.rejects(async () => answer, /Timed Out/)
  // A second login takes the account over from the dead line.
  await reconnect()
  await arrived(id)
})

test('a message that names no device reaches nobody and is counted', async () => {
  const { pn, jid } = await acquaintance()
  await client.socket?.sendNode({ tag: 'message', attrs: { id: 'EMPTY', to: jid, type: 'text' }, content: [] })
  await bench.event('message.to-nobody', HOST, ({ id }) => id === 'EMPTY')
  const { emptyParticipants } = await bench.call('/state')
  assert.equal(emptyParticipants, 1)
  assert.equal((await bench.call(`/guests/${pn}`)).timesById.EMPTY, undefined)
})

test('a malformed message is refused', async () => {
  const { jid } = await acquaintance()
  const enc = { tag: 'enc', attrs: { type: 'plain' }, content: Buffer.from('hi') }
  const content = [{ tag: 'participants', attrs: {}, content: [{ tag: 'to', attrs: { jid }, content: [enc] }] }]
  await client.socket?.sendNode({ tag: 'message', attrs: { id: 'BAD', to: jid, type: 'text' }, content })
  assert.equal((await bench.event('message.refused', HOST, ({ id }) => id === 'BAD')).code, 479)
})

test('one-time keys are handed out once each, and the client is asked for more', async () => {
  const companion = bench.simulator.world.directory.byPn.get(HOST)?.companions.get(1)
  assert.ok(companion)
  const handedOut = new Set()
  const before = companion.preKeys.length
  while (companion.preKeys.length >= 5) handedOut.add(companion.takeBundle().preKey?.keyId)
  assert.equal(handedOut.size, before - companion.preKeys.length)
  await client.stanza(({ tag, attrs }) => tag === 'notification' && attrs.type === 'encrypt')
  const { pn } = await acquaintance()
  await arrived(await send(pn, { text: 'with a fresh key' }))
})
