import assert from 'node:assert/strict'
import { test } from 'node:test'
import { normalizeMessageContent } from 'baileys'
import { makeBench } from '../testing/bench.js'

const HOST = '390612345678'
const bench = await makeBench()
const { host, client } = await bench.linkedHost(HOST)

/** @param {string} pn @param {object} wish */
async function sendFrom (pn, wish) {
  const { id } = await bench.call(`/guests/${pn}/send`, { to: HOST, ...wish })
  return client.message(({ key, message }) => key.id === id && Boolean(message))
}

for (const [addressing, pn] of [['lid', '972501111111'], ['pn', '972502222222']]) {
  test(`a guest's text arrives under ${addressing} and the reply is decrypted once`, async () => {
    const guest = await bench.call('/guests', { pn, addressing, name: 'Noa' })
    const message = await sendFrom(pn, { text: 'Is there parking?' })
    assert.equal(message.message?.conversation, 'Is there parking?')
    assert.equal(message.upsert, 'notify')
    assert.equal(message.pushName, 'Noa')
    const [hidden, number] = [`${guest.lid}@lid`, `${pn}@s.whatsapp.net`]
    assert.equal(message.key.remoteJid, addressing === 'lid' ? hidden : number)
    assert.equal(message.key.remoteJidAlt, addressing === 'lid' ? number : hidden)

    const id = await client.send(message.key.remoteJid ?? '', `Yes (${addressing})`)
    const received = await bench.event('guest.received', pn)
    const { timesById, textRepeats, undecryptable, received: all } = await bench.call(`/guests/${pn}`)
    assert.deepEqual(timesById, { [id]: 1 })
    assert.deepEqual([textRepeats, undecryptable], [0, 0])
    assert.equal(all[0].text, `Yes (${addressing})`)
    assert.equal(received.encType, all[0].encType)
    const copy = await bench.event('host.copy', HOST, event => event.id === id)
    assert.equal(copy.to, pn)
  })
}

test('a guest who turns from LID to number stays readable both ways', async () => {
  const pn = '972503333333'
  const { lid } = await bench.call('/guests', { pn })
  await sendFrom(pn, { text: 'one' })
  const changed = await bench.call(`/guests/${pn}`, { addressing: 'pn' }, 'PATCH')
  assert.equal(changed.addressing, 'pn')
  const second = await sendFrom(pn, { text: 'two' })
  assert.equal(second.key.remoteJid, `${pn}@s.whatsapp.net`)
  assert.equal(second.key.remoteJidAlt, `${lid}@lid`)
  const id = await client.send(second.key.remoteJid ?? '', 'three')
  await bench.event('guest.received', pn, event => event.id === id)
})

test('a guest may hide the other address', async () => {
  const pn = '972504444444'
  await bench.call('/guests', { pn })
  await bench.call(`/guests/${pn}`, { hideAlternative: true }, 'PATCH')
  const { key } = await sendFrom(pn, { text: 'who am I?' })
  assert.equal(key.remoteJidAlt, undefined)
})

test('two guests may use one message id, and both are confirmed', async () => {
  const [one, two] = ['972505555551', '972505555552']
  for (const pn of [one, two]) {
    await bench.call('/guests', { pn })
    await bench.call(`/guests/${pn}/send`, { to: HOST, text: `I am ${pn}`, id: 'SAME' })
    await bench.event('guest.receipt', pn, ({ id }) => id === 'SAME')
  }
  assert.equal(client.messages.filter(({ key }) => key.id === 'SAME').length, 2)
})

/** @type {[string, object, (content: any) => unknown, unknown][]} kind, fields, where to look, what is there */
const KINDS = [
  ['extended', { text: 'long' }, content => content.extendedTextMessage.text, 'long'],
  ['ephemeral', { text: 'gone tomorrow' }, content => content.conversation, 'gone tomorrow'],
  ['image', { text: 'this room?' }, content => content.imageMessage.caption, 'this room?'],
  ['sticker', {}, content => content.stickerMessage.mimetype, 'image/webp'],
  ['audio', { seconds: 9 }, content => content.audioMessage.seconds, 9],
  ['location', { latitude: 41.9, name: 'Here' }, content => content.locationMessage.name, 'Here'],
  ['contact', { name: 'Dana', phone: '972500000000' }, content => content.contactMessage.displayName, 'Dana'],
  ['reaction', { text: '\u{1F44D}', quoted: { id: 'ABC', fromMe: false } }, content => content.reactionMessage.key.id, 'ABC']
]

test('each kind of message arrives as what it is', async () => {
  const pn = '972506666666'
  await bench.call('/guests', { pn })
  for (const [kind, fields, look, expected] of KINDS) {
    const { message } = await sendFrom(pn, { kind, ...fields })
    assert.equal(look(normalizeMessageContent(message)), expected, kind)
  }
})

test('a quotation names the message and its author', async () => {
  const pn = '972507777777'
  await bench.call('/guests', { pn })
  const { message } = await sendFrom(pn, { text: 'this one', quoted: { id: 'Q1', text: 'Room 7 or 8?' } })
  const context = message?.extendedTextMessage?.contextInfo
  assert.equal(context?.stanzaId, 'Q1')
  assert.equal(context?.participant, `${host.lid}@lid`)
  assert.equal(context?.quotedMessage?.conversation, 'Room 7 or 8?')
})

test('a reply that quotes is told apart on the guest\'s phone', async () => {
  const pn = '972508888888'
  await bench.call('/guests', { pn })
  const asked = await sendFrom(pn, { text: 'breakfast?' })
  const id = await client.send(asked.key.remoteJid ?? '', 'At eight', { quoted: asked })
  const received = await bench.event('guest.received', pn, event => event.id === id)
  assert.equal(received.quotedId, asked.key.id)
})

test('messages from groups, status and newsletters arrive as such', async () => {
  const pn = '972509999999'
  await bench.call('/guests', { pn })
  const places = { group: /@g\.us$/, status: /^status@broadcast$/, newsletter: /@newsletter$/ }
  for (const [place, jid] of Object.entries(places)) {
    const { key, message } = await sendFrom(pn, { in: place, text: `in ${place}` })
    assert.match(key.remoteJid ?? '', jid)
    assert.equal(message?.conversation, `in ${place}`)
  }
})

test('what is typed on the business\'s phone reaches the guest, and the client as its own', async () => {
  const pn = '972510000001'
  for (const addressing of ['lid', 'pn']) {
    await bench.call('/guests', { pn })
    const guest = await bench.call(`/guests/${pn}`, { addressing }, 'PATCH')
    const { id } = await bench.call(`/hosts/${HOST}/send`, { to: pn, text: `by hand ${addressing}` })
    const copy = await client.message(({ key }) => key.id === id)
    assert.equal(copy.key.fromMe, true)
    assert.equal(copy.key.remoteJid, addressing === 'lid' ? `${guest.lid}@lid` : `${pn}@s.whatsapp.net`)
    assert.equal(copy.message?.conversation, `by hand ${addressing}`)
    assert.equal((await bench.event('guest.received', pn, event => event.id === id)).text, `by hand ${addressing}`)
  }
})

test('receipts go both ways', async () => {
  const pn = '972510000002'
  await bench.call('/guests', { pn, sendsReadReceipts: true })
  const message = await sendFrom(pn, { text: 'read me' })
  await bench.event('guest.receipt', pn, ({ receipt }) => receipt === 'inactive')
  await client.socket?.readMessages([message.key])
  await bench.event('guest.receipt', pn, ({ id, receipt }) => id === message.key.id && receipt === 'read')

  const id = await client.send(message.key.remoteJid ?? '', 'and me')
  for (const type of [undefined, 'read']) {
    await client.stanza(({ tag, attrs }) => tag === 'receipt' && attrs.id === id && attrs.type === type)
  }
})

test('typing is seen both ways', async () => {
  const pn = '972510000003'
  const { lid } = await bench.call('/guests', { pn })
  await client.socket?.presenceSubscribe(`${lid}@lid`)
  await bench.event('client.subscribed', HOST, ({ to }) => to === pn)
  await bench.call(`/guests/${pn}/typing`, { to: HOST, state: 'composing' })
  await client.event('presence.update', ({ id }) => id === `${lid}@lid`)
  await client.socket?.sendPresenceUpdate('available')
  for (const state of /** @type {const} */ (['composing', 'recording', 'paused'])) {
    await client.socket?.sendPresenceUpdate(state, `${lid}@lid`)
    await bench.event('guest.presence', pn, event => event.state === state)
  }
  await bench.event('client.available', HOST)
  const { presence } = await bench.call(`/guests/${pn}`)
  assert.deepEqual(presence.map((/** @type {{state: string}} */ { state }) => state), ['composing', 'recording', 'paused'])
})

test('a guest who types is told of only to a client that has subscribed', async () => {
  const [watched, other] = ['972510000011', '972510000012']
  const { lid } = await bench.call('/guests', { pn: watched })
  const unwatched = await bench.call('/guests', { pn: other })
  await client.socket?.presenceSubscribe(`${lid}@lid`)
  await bench.event('client.subscribed', HOST, ({ to }) => to === watched)
  await bench.call(`/guests/${other}/typing`, { to: HOST, state: 'composing' })
  await bench.call(`/guests/${watched}/typing`, { to: HOST, state: 'recording' })
  await client.stanza(({ tag, attrs }) => tag === 'chatstate' && attrs.from === `${lid}@lid`)
  const told = client.stanzas.filter(({ tag, attrs }) => tag === 'chatstate' && attrs.from === `${unwatched.lid}@lid`)
  assert.deepEqual(told, [])
})

test('the same text under another id is counted as a repeat, under the same id as twice received', async () => {
  const pn = '972510000004'
  const { lid } = await bench.call('/guests', { pn })
  await client.send(`${lid}@lid`, 'We open at nine', { messageId: 'ONE' })
  await client.send(`${lid}@lid`, 'We open at nine', { messageId: 'ONE' })
  await bench.event('guest.received', pn, ({ times }) => times === 2)
  assert.equal((await bench.call(`/guests/${pn}`)).textRepeats, 0)
  await client.send(`${lid}@lid`, 'We open at nine', { messageId: 'TWO' })
  await bench.event('guest.received', pn, ({ id }) => id === 'TWO')
  const { timesById, timesByText, textRepeats } = await bench.call(`/guests/${pn}`)
  assert.deepEqual(timesById, { ONE: 2, TWO: 1 })
  assert.deepEqual(timesByText, { 'We open at nine': 3 })
  assert.equal(textRepeats, 1)
})

test('a message to a number that is not on WhatsApp is refused with an error', async () => {
  const id = await client.send('972599999999@s.whatsapp.net', 'anybody?')
  const refused = await bench.event('message.refused', HOST, event => event.id === id)
  assert.equal(refused.code, 404)
  assert.deepEqual(await client.socket?.onWhatsApp('972599999999'), [])
})

test('nothing that a well-behaved client did was refused or nacked', async () => {
  const { nacks, emptyParticipants, brokenFrames, unknownStanzas, missingDeviceIdentities } = await bench.call('/state')
  assert.deepEqual({ nacks, emptyParticipants, brokenFrames, unknownStanzas, missingDeviceIdentities },
    { nacks: {}, emptyParticipants: 0, brokenFrames: 0, unknownStanzas: 0, missingDeviceIdentities: 0 })
})
