import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HOST, makeWorld, shareWorld } from '../testing/sidecar-world.js'

describe('what a guest writes', { concurrency: 4 }, () => {
  const guest = shareWorld()

  test('reaches the server as a WhatsApp message with both addresses', async () => {
    const { writes, heard, arrived, lid, pn } = await guest({ name: 'Dana' })
    const before = Date.now()
    const id = await writes('שלום, is there breakfast?')
    await heard(1)
    const [{ tenantId, key, message, messageTimestamp, pushName, journal }] = arrived()
    assert.equal(tenantId, '1')
    assert.deepEqual(key, { remoteJid: lid, remoteJidAlt: `${pn}@s.whatsapp.net`, fromMe: false, id })
    assert.deepEqual(message, { conversation: 'שלום, is there breakfast?' })
    assert.equal(pushName, 'Dana')
    assert.ok(Math.abs(messageTimestamp - before / 1000) < 60)
    assert.equal(journal.upsertType, 'notify')
    assert.ok(journal.receivedAtMs >= before && journal.receivedAtMs <= Date.now())
    assert.equal(typeof journal.sequence, 'number')
  })

  test('from a phone number keeps that address, the LID is known beside it', async () => {
    const { writes, heard, arrived, lid, pn } = await guest({ addressing: 'pn' })
    await writes('hi')
    await heard(1)
    const { remoteJid, remoteJidAlt } = arrived()[0].key
    assert.deepEqual([remoteJid, remoteJidAlt], [`${pn}@s.whatsapp.net`, lid])
  })

  test('gets the other address from what was learnt before, when WhatsApp leaves it out', async () => {
    const { world, writes, heard, arrived, pn } = await guest()
    await writes('first')
    await world.control(`PATCH /guests/${pn}`, { hideAlternative: true })
    await writes('second')
    await heard(2)
    assert.equal(arrived()[1].key.remoteJidAlt, `${pn}@s.whatsapp.net`)
  })

  test('arrives as what it is, of whatever kind', async () => {
    const { writes, heard, arrived } = await guest()
    const firstId = await writes('first')
    await writes('gone soon', { kind: 'ephemeral' })
    await writes('this room?', { kind: 'image' })
    for (const kind of ['location', 'contact', 'audio', 'sticker']) await writes('', { kind })
    await writes('❤', { kind: 'reaction', quoted: { id: firstId } })
    await writes('yes', { quoted: { id: firstId, text: 'first', fromMe: true } })
    await heard(9)
    const contents = arrived().map(({ message }) => message)
    assert.deepEqual(contents.map(content => Object.keys(content)[0]), [
      'conversation', 'conversation', 'imageMessage', 'locationMessage', 'contactMessage',
      'audioMessage', 'stickerMessage', 'reactionMessage', 'extendedTextMessage'
    ])
    assert.equal(contents[2].imageMessage.caption, 'this room?')
    assert.equal(contents[7].reactionMessage.key.id, firstId)
    assert.deepEqual(contents[8].extendedTextMessage.contextInfo.quotedMessage, { conversation: 'first' })
  })

  test('is forwarded once though it is delivered twice', async () => {
    const { world, writes, texts, heard, pn } = await guest()
    await world.control('POST /faults', { kind: 'duplicate', stanza: 'message', mode: 'same', pn })
    await world.control('POST /faults', { kind: 'duplicate', stanza: 'message', mode: 'again', pn })
    for (const text of ['one', 'two', 'three']) await writes(text)
    await heard(3)
    await writes('four')
    await heard(4)
    assert.deepEqual(texts(), ['one', 'two', 'three', 'four'])
  })

  test('and could not be decrypted is asked for again, and keeps its place', async () => {
    const { writes, texts, heard } = await guest()
    await writes('whole')
    await writes('broken at first', { broken: true })
    await writes('whole again')
    await heard(3)
    assert.deepEqual(texts(), ['whole', 'broken at first', 'whole again'])
  })

  test('in a burst goes on in the order in which it was written', async () => {
    const { writes, texts, heard } = await guest()
    const lines = Array.from({ length: 60 }, (_, n) => `line ${n}`)
    for (const line of lines) await writes(line)
    await heard(60)
    assert.deepEqual(texts(), lines)
  })

  test('is told from what the host types; what we send is not passed on at all', async () => {
    const { world, running, writes, texts, heard, arrived, lid, pn } = await guest()
    await writes('hello')
    await heard(1)
    assert.equal((await running.send({ to: lid, text: 'from us', messageId: 'OURS1' })).status, 200)
    const { id } = await world.control(`POST /hosts/${HOST}/send`, { to: pn, text: 'typed by hand' })
    await writes('thanks')
    await heard(3)
    assert.deepEqual(texts(), ['hello', 'typed by hand', 'thanks'])
    assert.deepEqual(arrived()[1].key, { remoteJid: lid, remoteJidAlt: `${pn}@s.whatsapp.net`, fromMe: true, id })
  })
})

test('groups, status and newsletters are left alone, readable or not, without a single complaint', async t => {
  const world = await makeWorld(t)
  await world.linked()
  for (const place of ['group', 'status', 'newsletter']) await world.guestWrites(`in a ${place}`, { in: place })
  for (const place of ['group', 'status']) await world.guestWrites(`unreadable in a ${place}`, { in: place, broken: true })
  await world.guestWrites('to you')
  await world.server.until(() => world.server.messages.length > 0)
  assert.deepEqual(world.server.texts(), ['to you'])
  const { nacks } = await world.control('GET /state')
  assert.deepEqual(nacks, {})
})

test('what guests wrote while the sidecar was down arrives in order, as backlog', async t => {
  const world = await makeWorld(t)
  const { running } = await world.linked()
  await world.guestWrites('before')
  await world.server.until(() => world.server.messages.length === 1)
  await running.kill('SIGTERM')
  const texts = Array.from({ length: 20 }, (_, n) => `while away ${n}`)
  for (const text of texts) await world.guestWrites(text)
  await world.sidecar()
  await world.server.until(() => world.server.messages.length === 21)
  assert.deepEqual(world.server.texts().slice(1), texts)
  const backlog = world.server.messages.slice(1)
  assert.deepEqual(new Set(backlog.map(({ journal }) => journal.upsertType)), new Set(['append']))
})

test('what guests wrote while the server was down arrives once and in order, over one connection', async t => {
  const world = await makeWorld(t)
  const { running } = await world.linked()
  world.server.answerWith(() => ({ status: 503 }))
  const texts = Array.from({ length: 20 }, (_, n) => `message ${n}`)
  for (const text of texts) await world.guestWrites(text)
  await running.healthy(({ journal }) => journal.waiting === 20)
  world.server.answerWith(undefined)
  await world.server.until(() => world.server.messages.length === 20, 20_000)
  assert.deepEqual(world.server.texts(), texts)
  await running.healthy(({ journal }) => journal.waiting === 0)
  assert.ok(world.server.connections() <= 3, `${world.server.connections()} connections`)
})

test('a message that the server refuses is set aside and counted', async t => {
  const world = await makeWorld(t)
  const { running } = await world.linked()
  world.server.answerWith(message => message.message.conversation === 'bad' ? { status: 422, body: {} } : undefined)
  await world.guestWrites('bad')
  await world.guestWrites('good')
  await world.server.until(() => world.server.messages.length === 1)
  await running.healthy(({ journal }) => journal.waiting === 0 && journal.setAside === 1)
})
