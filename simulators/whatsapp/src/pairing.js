import { createCipheriv, createDecipheriv, hkdfSync, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { isVouchedFor, sealForCompanion, vouchFor } from './adv.js'
import { Companion } from './companion.js'
import { SimulatorError } from './errors.js'
import { lidJid, pnJid } from './jids.js'
import { agree, bare, freshKeyPair } from './keys.js'

/**
 * @typedef {import('./world.js').World} World
 * @typedef {import('./directory.js').Account} Account
 * @typedef {import('./registration.js').Registration} Registration
 */

const stretch = promisify(pbkdf2)
const ROUNDS = 2 << 16
const NO_SALT = Buffer.alloc(0)

/**
 * The phone scans what the client shows.
 *
 * @param {World} world @param {Account} account
 * @param {string} qr what the code holds: `ref,noise key,identity key,secret,…`, a web address before it
 * @returns {Promise<Companion>}
 * @throws {SimulatorError} 422 if it is no such code, 404 if its client is gone, 409 if the client refuses
 */
export async function scan (world, account, qr) {
  const [ref, noiseKey, identityKey, advSecret] = qr.slice(qr.indexOf('#') + 1).split(',')
  if (!ref || !noiseKey || !identityKey || !advSecret) throw new SimulatorError(422, 'not a WhatsApp QR code')
  const registration = [...world.registrations].find(one => one.refs.includes(ref))
  if (!registration) throw new SimulatorError(404, 'the QR code has expired: its client is gone')
  const keys = [registration.noiseKey, registration.keys.identityKey].map(key => key.toString('base64'))
  if (noiseKey !== keys[0] || identityKey !== keys[1]) {
    throw new SimulatorError(422, 'the keys in the QR code are not those of the client that got its reference')
  }
  return link(world, account, registration, Buffer.from(advSecret, 'base64'))
}

/**
 * The phone's owner types the eight characters that the client shows.
 *
 * @param {World} world @param {Account} account @param {string} code
 * @returns {Promise<Companion>}
 * @throws {SimulatorError} 404 if no client asked for this number, 422 if the code is wrong
 */
export async function enterCode (world, account, code) {
  const registration = [...world.registrations].find(one => one.codeRequest?.pn === account.pn)
  if (!registration?.codeRequest) throw new SimulatorError(404, `no client asks for a pairing code for ${account.pn}`)
  const phone = phoneIdentity(account)
  const ephemeral = freshKeyPair()
  const { wrapped } = registration.codeRequest
  const clientKey = await unwrap(wrapped, code)
  const answer = await registration.exchangeCode({
    identityKey: bare(phone.pubKey),
    wrapped: await wrap(world.random.next(48), bare(ephemeral.pubKey), code)
  })
  const shared = agree(clientKey, ephemeral.privKey)
  const [companionKey, phoneKey, secret] = openBundle(answer.bundle, shared)
  if (!companionKey.equals(registration.keys.identityKey) || !phoneKey.equals(bare(phone.pubKey))) {
    throw new SimulatorError(422, 'the client named other identity keys than those that took part')
  }
  const material = Buffer.concat([shared, agree(companionKey, phone.privKey), secret])
  return link(world, account, registration, Buffer.from(hkdfSync('sha256', material, NO_SALT, 'adv_secret', 32)))
}

/** @param {World} world @param {Account} account @param {Registration} registration @param {Buffer} advSecret */
async function link (world, account, registration, advSecret) {
  const phone = phoneIdentity(account)
  const deviceId = ++account.lastDeviceId
  const identity = vouchFor(phone, registration.keys.identityKey, deviceId)
  const signed = await registration.succeed({
    sealed: sealForCompanion(identity, advSecret),
    jid: pnJid(account.pn, deviceId),
    lid: lidJid(account.lid, deviceId),
    name: account.name
  })
  if (!isVouchedFor(signed, phone.pubKey, registration.keys.identityKey)) {
    throw new SimulatorError(409, 'the client\'s signature under its credential is wrong')
  }
  const companion = new Companion(account, { deviceId, noiseKey: registration.noiseKey, ...registration.keys })
  account.companions.set(deviceId, companion)
  world.events.add('host.paired', account.pn, { deviceId })
  registration.restart()
  return companion
}

/** @param {Account} account */
function phoneIdentity (account) {
  if (!account.phone) throw new SimulatorError(409, `${account.pn} has no phone`)
  return account.phone.endpoint.identity
}

/** @param {Buffer} material 32 bytes of salt, 16 of start vector @param {Buffer} key @param {string} code */
async function wrap (material, key, code) {
  const cipher = createCipheriv('aes-256-ctr', await codeKey(code, material), material.subarray(32, 48))
  return Buffer.concat([material.subarray(0, 48), cipher.update(key), cipher.final()])
}

/** @param {Buffer} wrapped @param {string} code @returns {Promise<Buffer>} garbage if the code is wrong */
async function unwrap (wrapped, code) {
  const decipher = createDecipheriv('aes-256-ctr', await codeKey(code, wrapped), wrapped.subarray(32, 48))
  return Buffer.concat([decipher.update(wrapped.subarray(48, 80)), decipher.final()])
}

/** @param {string} code @param {Buffer} material */
function codeKey (code, material) {
  return stretch(code, material.subarray(0, 32), ROUNDS, 32, 'sha256')
}

/**
 * @param {Buffer} bundle salt of 32 bytes, start vector of 12, then three keys of 32 under GCM
 * @param {Buffer} shared
 * @returns {[Buffer, Buffer, Buffer]} the client's identity, the phone's, and random bytes
 * @throws {SimulatorError} 422: a wrong code leads to another shared key
 */
function openBundle (bundle, shared) {
  const info = 'link_code_pairing_key_bundle_encryption_key'
  const key = Buffer.from(hkdfSync('sha256', shared, bundle.subarray(0, 32), info, 32))
  const decipher = createDecipheriv('aes-256-gcm', key, bundle.subarray(32, 44))
  decipher.setAuthTag(bundle.subarray(-16))
  try {
    const keys = Buffer.concat([decipher.update(bundle.subarray(44, -16)), decipher.final()])
    return [keys.subarray(0, 32), keys.subarray(32, 64), keys.subarray(64, 96)]
  } catch {
    throw new SimulatorError(422, 'wrong pairing code')
  }
}
