import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Curve, proto } from 'baileys'
import { isVouchedFor, vouchFor } from '../src/adv.js'
import { makeCertificate } from '../src/certificate.js'
import { decode, encode } from '../src/content.js'
import { Faults } from '../src/faults.js'
import { bare, freshKeyPair, keyPairFrom, sign, verify } from '../src/keys.js'
import { Mailbox } from '../src/mailbox.js'
import { node } from '../src/nodes.js'
import { Random } from '../src/random.js'

const DEVICE_PREFIX = Buffer.from([6, 1])

test('what is drawn follows from the seed', () => {
  assert.deepEqual(new Random(1).bytes(40, 'a'), new Random('1').bytes(40, 'a'))
  assert.notDeepEqual(new Random(1).bytes(40, 'a'), new Random(2).bytes(40, 'a'))
  assert.notDeepEqual(new Random(1).bytes(40, 'a'), new Random(1).bytes(40, 'b'))
  assert.match(new Random(1).digits(15, 'lid'), /^[1-9]\d{14}$/)
})

test('a key pair from a seed signs as Baileys\' own do', () => {
  const pair = keyPairFrom(new Random(1).bytes(32, 'key'))
  const other = Curve.generateKeyPair()
  assert.deepEqual(Curve.sharedKey(other.private, bare(pair.pubKey)), Curve.sharedKey(pair.privKey, other.public))
  const signature = sign(pair.privKey, Buffer.from('word'))
  assert.equal(verify(pair.pubKey, Buffer.from('word'), signature), true)
  assert.equal(verify(pair.pubKey, Buffer.from('wort'), signature), false)
  assert.equal(verify(other.public, Buffer.from('word'), signature), false)
})

test('each certificate is signed by the one above, the uppermost by the root', () => {
  const { chain, rootKey, staticKey } = makeCertificate(new Random(1))
  const { intermediate, leaf } = proto.CertChain.decode(chain)
  const [middle, last] = [intermediate, leaf].map(one =>
    proto.CertChain.NoiseCertificate.Details.decode(one?.details ?? Buffer.alloc(0)))
  assert.ok(verify(rootKey, intermediate?.details ?? rootKey, intermediate?.signature ?? rootKey))
  assert.ok(verify(middle?.key ?? rootKey, leaf?.details ?? rootKey, leaf?.signature ?? rootKey))
  assert.equal(middle?.issuerSerial, 0)
  assert.deepEqual(Buffer.from(last?.key ?? rootKey), bare(staticKey.pubKey))
})

test('the preload makes Baileys trust the root that it is given, and demands one', async () => {
  const trust = fileURLToPath(new URL('../src/trust.js', import.meta.url))
  const script = 'import { WA_CERT_DETAILS } from "baileys"; process.stdout.write(WA_CERT_DETAILS.PUBLIC_KEY.toString("hex"))'
  const run = (/** @type {string} */ rootKey) => promisify(execFile)(
    process.execPath, ['--import', trust, '--input-type=module', '--eval', script],
    { cwd: fileURLToPath(new URL('.', import.meta.url)), env: { ...process.env, WHATSAPP_SIM_ROOT_KEY: rootKey } })
  const rootKey = makeCertificate(new Random(1)).rootKey.toString('hex')
  assert.equal((await run(rootKey)).stdout, rootKey)
  await assert.rejects(run(''), /set WHATSAPP_SIM_ROOT_KEY/)
})

test('a device\'s credential counts only with both signatures, for its account and its key', () => {
  const [phone, device, other] = [freshKeyPair(), freshKeyPair(), freshKeyPair()]
  const identity = vouchFor(phone, device.pubKey, 3)
  const details = identity.details ?? Buffer.alloc(0)
  const word = Buffer.concat([DEVICE_PREFIX, details, bare(device.pubKey), bare(phone.pubKey)])
  const signedBy = (/** @type {Buffer} */ key) =>
    proto.ADVSignedDeviceIdentity.encode({ ...identity, deviceSignature: sign(key, word) }).finish()
  assert.equal(isVouchedFor(signedBy(device.privKey), phone.pubKey, device.pubKey), true)
  assert.equal(isVouchedFor(signedBy(other.privKey), phone.pubKey, device.pubKey), false)
  assert.equal(isVouchedFor(signedBy(device.privKey), other.pubKey, device.pubKey), false)
  assert.equal(isVouchedFor(signedBy(device.privKey), phone.pubKey, other.pubKey), false)
  const unsigned = proto.ADVSignedDeviceIdentity.encode(identity).finish()
  assert.equal(isVouchedFor(unsigned, phone.pubKey, device.pubKey), false)
})

test('a fault strikes whom it names, after as many chances and as often as it says', () => {
  const faults = new Faults(new Random(1))
  faults.add({ kind: 'drop', pn: '972500000001', after: 1, count: 2 })
  const strikes = (/** @type {string} */ pn) => Boolean(faults.strike('drop', [pn, '390600000000']))
  assert.equal(strikes('972500000002'), false)
  assert.deepEqual([1, 2, 3, 4].map(() => strikes('972500000001')), [false, true, true, false])
  faults.add({ kind: 'drop', stanza: 'receipt' })
  assert.equal(faults.strike('drop', [], { stanza: 'message' }), undefined)
  assert.ok(faults.strike('drop', [], { stanza: 'receipt' }))
})

test('a fault of a given probability strikes alike under one seed', () => {
  const series = (/** @type {number} */ seed) => {
    const faults = new Faults(new Random(seed))
    faults.add({ kind: 'drop', count: 1000, probability: 0.3 })
    return Array.from({ length: 200 }, () => Boolean(faults.strike('drop', [])))
  }
  assert.deepEqual(series(1), series(1))
  assert.notDeepEqual(series(1), series(2))
  const struck = series(1).filter(Boolean).length
  assert.ok(struck > 30 && struck < 90, `${struck} of 200`)
})

test('a mailbox keeps letters in order until each is confirmed by chat and id', () => {
  const mailbox = new Mailbox()
  /** @type {string[]} */
  const delivered = []
  const letter = (/** @type {string} */ id, /** @type {string} */ peer) =>
    ({ class: /** @type {const} */ ('message'), id, peer, node: node('message', { id }) })
  mailbox.put(letter('1', 'a'))
  mailbox.open(({ id, peer }) => delivered.push(`${peer}${id}`))
  for (const [id, peer] of /** @type {const} */ ([['1', 'b'], ['2', 'a'], ['1', 'a']])) mailbox.put(letter(id, peer))
  assert.deepEqual(delivered, ['b1', 'a2', 'a1'])
  assert.equal(mailbox.confirm(letter('1', 'b')), true)
  assert.equal(mailbox.confirm(letter('1', 'b')), false)
  assert.deepEqual(mailbox.backlog().map(({ id, peer }) => peer + id), ['a2', 'a1'])
})

test('padding is taken off as it was put on, and wrong padding is no message', () => {
  for (const padding of [1, 7, 16]) assert.equal(decode(encode({ conversation: 'hi' }, padding)).conversation, 'hi')
  for (const bytes of [[], [0], [17], [3, 3]]) assert.throws(() => decode(Buffer.from(bytes)), /padding/)
})
