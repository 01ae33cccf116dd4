import assert from 'node:assert/strict'
import { createCipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { Corrupt } from '../src/errors.js'
import { SEAL_BYTES, makeOpener } from '../src/media-seal.js'

const KEYS = { cipherKey: randomBytes(32), iv: randomBytes(16), macKey: randomBytes(32) }
const UNSAID = { fileSha256: undefined, fileEncSha256: undefined }

/** @param {Buffer} bytes */
const sha256 = bytes => createHash('sha256').update(bytes).digest()

/** @param {Buffer} file */
function seal (file) {
  const cipher = createCipheriv('aes-256-cbc', KEYS.cipherKey, KEYS.iv)
  const ciphertext = Buffer.concat([cipher.update(file), cipher.final()])
  const mac = createHmac('sha256', KEYS.macKey).update(KEYS.iv).update(ciphertext).digest()
  return Buffer.concat([ciphertext, mac.subarray(0, 10)])
}

/**
 * @param {Buffer} sealed
 * @param {number} step how many bytes at a time
 * @param {Parameters<typeof makeOpener>[1]} [hashes]
 */
function open (sealed, step, hashes = UNSAID) {
  const opener = makeOpener(KEYS, hashes)
  for (let at = 0; at < sealed.length; at += step) opener.take(sealed.subarray(at, at + step))
  return Buffer.concat(opener.finish())
}

test('a file opens in pieces of any size', () => {
  for (const length of [0, 1, 16, 31, 1000]) {
    const file = randomBytes(length)
    const sealed = seal(file)
    assert.ok(sealed.length <= length + SEAL_BYTES)
    for (const step of [1, 7, 10, 16, 5000]) assert.ok(open(sealed, step).equals(file), `${length} by ${step}`)
    const hashes = { fileSha256: sha256(file), fileEncSha256: sha256(sealed) }
    assert.ok(open(sealed, 100, hashes).equals(file))
  }
})

test('one turned bit anywhere is found by the MAC alone', () => {
  const sealed = seal(randomBytes(40))
  for (let at = 0; at < sealed.length; at++) {
    const spoilt = Buffer.from(sealed)
    spoilt[at] ^= 1
    assert.throws(() => open(spoilt, 16), Corrupt, `byte ${at}`)
  }
})

test('a file that lacks its end, or all, is not handed out', () => {
  const sealed = seal(randomBytes(40))
  for (const length of [0, 5, 10, 26, sealed.length - 1]) {
    assert.throws(() => open(sealed.subarray(0, length), 16), Corrupt, `${length} bytes`)
  }
})

test('a sender who seals something else than was announced is found out', () => {
  const file = randomBytes(40)
  assert.throws(() => open(seal(file), 16, { fileSha256: sha256(Buffer.from('x')), fileEncSha256: undefined }), Corrupt)
  assert.throws(() => open(seal(file), 16, { fileSha256: undefined, fileEncSha256: sha256(file) }), Corrupt)
})

test('a MAC over no whole number of blocks does not make a file', () => {
  const odd = randomBytes(20)
  const mac = createHmac('sha256', KEYS.macKey).update(KEYS.iv).update(odd).digest().subarray(0, 10)
  assert.throws(() => open(Buffer.concat([odd, mac]), 16), Corrupt)
})
