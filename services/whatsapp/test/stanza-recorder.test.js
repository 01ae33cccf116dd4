import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addTransactionCapability, proto } from 'baileys'
import { makeAuthStore } from '../src/auth-store.js'
import { makeJournal } from '../src/journal.js'
import { makeStanzaRecorder } from '../src/stanza-recorder.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'
import { scratchStore } from '../testing/scratch.js'

const ME = { me: { id: '972500000001:5@s.whatsapp.net', lid: '100:5@lid' } }

/** What a phone would encrypt. @param {import('baileys').proto.IMessage} message */
const padded = message => Buffer.concat([proto.Message.encode(message).finish(), Buffer.from([1])])

const SILENT = { trace () {}, debug () {}, warn () {}, error () {} }

/**
 * A recorder with a real journal and real key store, over a cipher that only
 * reverses bytes and remembers how often it was asked.
 *
 * @param {import('node:test').TestContext} t
 */
function arrange (t) {
  const clock = makeFakeClock()
  const store = scratchStore(t)
  const journal = makeJournal({ store, clock, onFailure: assert.ifError })
  const { keys, keepSessions } = makeAuthStore({ store, journal, tenantId: '1' })
  const recorder = makeStanzaRecorder({
    tenantId: '1', journal, isOwnSend: id => id === 'OURS', logger: makeQuietLogger().logger, now: clock.now
  })
  let decryptions = 0
  const transactional = { maxCommitRetries: 1, delayBetweenTriesMs: 1 }
  const auth = { creds: ME, keys: addTransactionCapability(keys, /** @type {any} */ (SILENT), transactional) }
  const repository = recorder.recording(/** @type {any} */ ((/** @type {typeof auth} */ { keys: inner }) => ({
    encryptMessage: async (/** @type {any} */ { jid, data }) => {
      await inner.set({ session: { [jid]: data } })
      return { type: 'msg', ciphertext: data }
    },
    decryptMessage: async (/** @type {any} */ { ciphertext }) => {
      decryptions += 1
      if (ciphertext[0] === 0) throw new Error('Bad MAC')
      await inner.set({ session: { '7.0': /** @type {any} */ ('read') } })
      return Uint8Array.from(ciphertext).reverse()
    }
  })), keepSessions)(/** @type {any} */ (auth), /** @type {any} */ (undefined), /** @type {any} */ (undefined))

  /** @param {Record<string, string>} attrs @param {Uint8Array} ciphertext */
  function arrive (attrs, ciphertext) {
    const enc = { tag: 'enc', attrs: { type: 'msg', v: '2' }, content: ciphertext }
    recorder.onStanza({ tag: 'message', attrs: { t: '1700000000', ...attrs }, content: [enc] })
  }
  return {
    journal, recorder, arrive, auth, keys,
    sessionOf: (/** @type {string} */ jid) => store.keys.get(['1', 'session', jid]),
    encrypt: (/** @type {string} */ jid, /** @type {any} */ step) => repository.encryptMessage({ jid, data: step }),
    decryptions: () => decryptions,
    /** @param {Uint8Array} ciphertext */
    decrypt: ciphertext => repository.decryptMessage({ jid: '7@lid', type: 'msg', ciphertext }),
    unread: () => journal.unread('1', clock.now() + 1).map(({ attrs }) => attrs.id)
  }
}

/** @param {import('baileys').proto.IMessage} message */
const sealed = message => Uint8Array.from(padded(message)).reverse()
const HI = { conversation: 'hi' }

test('a message is in the journal when decryption returns, which is before the receipt', async t => {
  const { arrive, decrypt, journal, unread } = arrange(t)
  arrive({ from: '7:2@lid', id: 'A', sender_pn: '972500000002@s.whatsapp.net', notify: 'Dana' }, sealed(HI))
  assert.deepEqual(unread(), ['A'])
  await decrypt(sealed(HI))
  assert.deepEqual(unread(), [])
  assert.deepEqual(journal.read('1', 1), {
    key: { remoteJid: '7@lid', remoteJidAlt: '972500000002@s.whatsapp.net', fromMe: false, id: 'A' },
    messageTimestamp: 1_700_000_000,
    pushName: 'Dana',
    message: HI,
    journal: { sequence: 1, upsertType: 'notify', receivedAtMs: 1_700_000_000_000 }
  })
})

test('the ratchet step that encrypted a message is kept before the message can leave', async t => {
  const { auth, encrypt, sessionOf } = arrange(t)
  await assert.rejects(auth.keys.transaction(async () => {
    await encrypt('7.0', 'step 1')
    assert.equal(sessionOf('7.0'), '"step 1"')
    throw new Error('the process dies')
  }, 'me'))
  assert.equal(sessionOf('7.0'), '"step 1"')
})

test('what was read from a guest meanwhile is not undone when the send is over', async t => {
  const { auth, keys, encrypt, sessionOf } = arrange(t)
  await auth.keys.transaction(async () => {
    await encrypt('7.0', 'step 1')
    await keys.set({ session: { '7.0': /** @type {any} */ ('step 2') } })
  }, 'me')
  assert.equal(sessionOf('7.0'), '"step 2"')
  assert.deepEqual(await auth.keys.get('session', ['7.0']), { '7.0': 'step 2' })
})

test('a commit that failed and is tried again does not take back what was kept', async t => {
  const { keys, journal, encrypt, sessionOf } = arrange(t)
  const { commit } = journal
  const transaction = /** @type {any} */ ({ session: { '7.0': 'step 1' }, tctoken: { 7: 'changed too' } })
  await encrypt('7.0', 'step 1')
  await keys.set({ session: { '7.0': /** @type {any} */ ('step 2') } })
  journal.commit = () => Promise.reject(new Error('the disk is full'))
  await assert.rejects(Promise.resolve(keys.set(transaction)))
  journal.commit = commit
  await keys.set(transaction)
  assert.equal(sessionOf('7.0'), '"step 2"')
})

test('what is sent while a message is being read starts from the session that was read with', async t => {
  const { arrive, decrypt, encrypt, sessionOf } = arrange(t)
  arrive({ from: '7@lid', id: 'A' }, sealed(HI))
  await Promise.all([decrypt(sealed(HI)), encrypt('7.0', 'sent')])
  assert.equal(sessionOf('7.0'), '"sent"')
})

test('a ciphertext that comes again is answered from the store, without touching the ratchet', async t => {
  const { arrive, decrypt, decryptions, unread, journal } = arrange(t)
  for (let n = 0; n < 2; n++) arrive({ from: '7@lid', id: 'A' }, sealed(HI))
  const [first, second] = [await decrypt(sealed(HI)), await decrypt(sealed(HI))]
  assert.deepEqual(Buffer.from(second), Buffer.from(first))
  assert.equal(decryptions(), 1)
  assert.deepEqual(unread(), [])
  assert.equal(journal.counts().waiting, 1)
})

test('what cannot be decrypted stays noted, to be asked for', async t => {
  const { arrive, decrypt, unread } = arrange(t)
  arrive({ from: '7@lid', id: 'A' }, Uint8Array.from([0]))
  await assert.rejects(decrypt(Uint8Array.from([0])), /Bad MAC/)
  assert.deepEqual(unread(), ['A'])
})

test('a ciphertext without a stanza is not decrypted at all', async t => {
  const { decrypt, decryptions } = arrange(t)
  await assert.rejects(decrypt(sealed(HI)), /not known/)
  assert.equal(decryptions(), 0)
})

test('a group message that cannot be decrypted is not complained about', async t => {
  const { arrive, decrypt, unread, journal } = arrange(t)
  arrive({ from: '1@g.us', participant: '7@lid', id: 'A' }, Uint8Array.from([0]))
  assert.equal((await decrypt(Uint8Array.from([0]))).length, 1)
  assert.deepEqual(unread(), [])
  assert.equal(journal.counts().waiting, 0)
})

test('what the host typed belongs to the guest\'s chat, and the host\'s own number is not the guest\'s', async t => {
  const { arrive, decrypt, journal } = arrange(t)
  const typed = { deviceSentMessage: { destinationJid: '7@lid', message: HI } }
  arrive({ from: '100@lid', recipient: '7@lid', id: 'A', sender_pn: '972500000001@s.whatsapp.net' }, sealed(typed))
  await decrypt(sealed(typed))
  assert.deepEqual(journal.read('1', 1)?.key, { remoteJid: '7@lid', fromMe: true, id: 'A' })
})

test('our own sends, notes to self and protocol messages are of no interest', async t => {
  const { arrive, decrypt, journal, unread } = arrange(t)
  const cases = /** @type {[Record<string, string>, import('baileys').proto.IMessage][]} */ ([
    [{ from: '100@lid', recipient: '7@lid', id: 'OURS' }, { conversation: 'a' }],
    [{ from: '100@lid', recipient: '100@lid', id: 'B' }, { conversation: 'b' }],
    [{ from: '7@lid', id: 'C' }, { protocolMessage: { type: proto.Message.ProtocolMessage.Type.REVOKE } }]
  ])
  for (const [attrs, message] of cases) {
    arrive(attrs, sealed(message))
    await decrypt(sealed(message))
  }
  assert.equal(journal.counts().waiting, 0)
  assert.deepEqual(unread(), [])
})

test('what Baileys hands over completes the journal: only what is not in it yet, and has content', async t => {
  const { arrive, decrypt, journal, recorder, auth } = arrange(t)
  arrive({ from: '7@lid', id: 'A' }, sealed(HI))
  await decrypt(sealed(HI))
  /** @param {string} id @param {any} message @param {string} [remoteJid] */
  const upserted = (id, message, remoteJid = '7@lid') => ({ key: { remoteJid, id, fromMe: false, participant: '' }, messageTimestamp: 5, message })
  const messages = [
    upserted('A', HI), upserted('STUB', undefined), upserted('G', HI, '1@g.us'), upserted('S', HI, 'status@broadcast'),
    upserted('B', { conversation: 'from the phone on request' })
  ]
  await recorder.onUpsert({ messages, type: 'append' }, /** @type {any} */ (auth))
  assert.equal(journal.counts().waiting, 2)
  assert.equal(journal.read('1', 2)?.key.id, 'B')
})
