import { createHmac } from 'node:crypto'
import { proto } from 'baileys'
import { bare, sign, verify } from './keys.js'

/** @typedef {import('./keys.js').KeyPair} KeyPair */

const ACCOUNT_PREFIX = Buffer.from([6, 0])
const DEVICE_PREFIX = Buffer.from([6, 1])

/**
 * The phone's word that a companion's identity key is one of its devices.
 *
 * @param {KeyPair} phone the phone's identity
 * @param {Uint8Array} companion the companion's identity key
 * @param {number} deviceId becomes the key index too
 * @returns {proto.IADVSignedDeviceIdentity} without the companion's own signature
 */
export function vouchFor (phone, companion, deviceId) {
  const details = proto.ADVDeviceIdentity.encode({
    rawId: deviceId, timestamp: Math.floor(Date.now() / 1000), keyIndex: deviceId
  }).finish()
  const accountSignature = sign(phone.privKey, Buffer.concat([ACCOUNT_PREFIX, details, bare(companion)]))
  return { details, accountSignatureKey: bare(phone.pubKey), accountSignature }
}

/**
 * @param {proto.IADVSignedDeviceIdentity} identity
 * @param {Uint8Array} advSecret shared over the QR code or derived from the pairing code
 * @returns {Buffer} as it stands in `<pair-success>`
 */
export function sealForCompanion (identity, advSecret) {
  const details = proto.ADVSignedDeviceIdentity.encode(identity).finish()
  const hmac = createHmac('sha256', advSecret).update(details).digest()
  return Buffer.from(proto.ADVSignedDeviceIdentityHMAC.encode({ details, hmac }).finish())
}

/**
 * Check a companion's credential as every receiving phone does: the account's signature under the
 * companion's key, and the companion's under both.
 *
 * @param {Uint8Array} encoded ADVSignedDeviceIdentity
 * @param {Uint8Array} accountKey identity key of the account's phone
 * @param {Uint8Array} companion identity key of the companion
 * @returns {boolean}
 */
export function isVouchedFor (encoded, accountKey, companion) {
  const { details, accountSignature, deviceSignature } = proto.ADVSignedDeviceIdentity.decode(encoded)
  if (!details || !accountSignature || !deviceSignature) return false
  const account = bare(accountKey)
  const device = bare(companion)
  return verify(account, Buffer.concat([ACCOUNT_PREFIX, details, device]), accountSignature)
    && verify(device, Buffer.concat([DEVICE_PREFIX, details, device, account]), deviceSignature)
}
