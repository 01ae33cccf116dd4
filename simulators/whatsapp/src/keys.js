import { createPrivateKey, createPublicKey } from 'node:crypto'
import { calculateAgreement, calculateSignature, generateKeyPair, verifySignature } from 'libsignal/src/curve.js'

/**
 * @typedef {{pubKey: Buffer, privKey: Buffer}} KeyPair public key of 33 bytes (type byte 5 first), private of 32
 */

const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex')
const KEY_TYPE = Buffer.from([5])

/** @param {Uint8Array} secret 32 bytes @returns {KeyPair} */
export function keyPairFrom (secret) {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_X25519, secret]), format: 'der', type: 'pkcs8'
  })
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return { pubKey: typed(spki.subarray(-32)), privKey: Buffer.from(secret) }
}

/** @returns {KeyPair} */
export function freshKeyPair () {
  const { pubKey, privKey } = generateKeyPair()
  return { pubKey: Buffer.from(pubKey), privKey: Buffer.from(privKey) }
}

/** @param {Uint8Array} key 32 or 33 bytes @returns {Buffer} 33 bytes, as libsignal wants them */
export function typed (key) {
  return key.length === 33 ? Buffer.from(key) : Buffer.concat([KEY_TYPE, key])
}

/** @param {Uint8Array} key 32 or 33 bytes @returns {Buffer} 32 bytes, as the wire has them */
export function bare (key) {
  return Buffer.from(key.length === 33 ? key.subarray(1) : key)
}

/** @param {Uint8Array} publicKey @param {Uint8Array} privateKey @returns {Buffer} 32 bytes */
export function agree (publicKey, privateKey) {
  return Buffer.from(calculateAgreement(typed(publicKey), Buffer.from(privateKey)))
}

/** @param {Uint8Array} privateKey @param {Uint8Array} message @returns {Buffer} XEdDSA, 64 bytes */
export function sign (privateKey, message) {
  return Buffer.from(calculateSignature(Buffer.from(privateKey), message))
}

/**
 * Unlike Baileys' own check, this one looks at the verdict and not only for exceptions.
 *
 * @param {Uint8Array} publicKey @param {Uint8Array} message @param {Uint8Array} signature
 * @returns {boolean}
 */
export function verify (publicKey, message, signature) {
  try {
    return verifySignature(typed(publicKey), message, signature)
  } catch {
    return false
  }
}
