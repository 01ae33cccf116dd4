import { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from 'libsignal'
import { freshKeyPair, keyPairFrom, sign, typed } from './keys.js'
import { makeQueue } from './queue.js'

/**
 * @typedef {import('./keys.js').KeyPair} KeyPair
 * @typedef {{registrationId: number, identityKey: Buffer,
 *   signedPreKey: {keyId: number, publicKey: Buffer, signature: Buffer},
 *   preKey?: {keyId: number, publicKey: Buffer}}} Bundle keys with 33 bytes each
 * @typedef {{user: string, device: number}} Address whom a session is with; the phone number names the user
 * @typedef {{type: 'pkmsg' | 'msg', ciphertext: Buffer}} Encrypted
 */

const SIGNED_PRE_KEY_ID = 1

/** One device's Signal identity, its prekeys and its sessions, all in memory. */
export class SignalEndpoint {
  /** @param {import('./random.js').Random} random @param {string} label names the device under the seed */
  constructor (random, label) {
    this.identity = keyPairFrom(random.bytes(32, `identity ${label}`))
    this.registrationId = random.bytes(2, `registration ${label}`).readUInt16BE() & 0x3fff
    this.signedPreKey = keyPairFrom(random.bytes(32, `signed prekey ${label}`))
    this.signature = sign(this.identity.privKey, this.signedPreKey.pubKey)
    /** @type {Map<number, KeyPair>} */
    this.preKeys = new Map()
    this.nextPreKeyId = 1
    /** @type {Map<string, Uint8Array>} serialised, so that a failed decryption leaves no trace */
    this.sessions = new Map()
    /** libsignal reads a session, works and stores it: two at once would undo each other. */
    this.inTurn = makeQueue()
    this.storage = this.makeStorage()
  }

  /** @returns {Bundle} with a one-time prekey that nobody was given before */
  takeBundle () {
    const keyId = this.nextPreKeyId++
    const preKey = freshKeyPair()
    this.preKeys.set(keyId, preKey)
    return {
      registrationId: this.registrationId,
      identityKey: this.identity.pubKey,
      signedPreKey: { keyId: SIGNED_PRE_KEY_ID, publicKey: this.signedPreKey.pubKey, signature: this.signature },
      preKey: { keyId, publicKey: preKey.pubKey }
    }
  }

  /**
   * @param {Address} to
   * @param {Uint8Array} plaintext
   * @param {() => Bundle} fetchBundle asked where there is no session yet
   * @returns {Promise<Encrypted>}
   */
  encrypt (to, plaintext, fetchBundle) {
    return this.inTurn(async () => {
      if (!this.sessions.has(name(to))) await this.begin(to, fetchBundle())
      const cipher = new SessionCipher(this.storage, addressOf(to))
      const { type, body } = await cipher.encrypt(Buffer.from(plaintext))
      return { type: type === 3 ? 'pkmsg' : 'msg', ciphertext: Buffer.from(body, 'binary') }
    })
  }

  /**
   * @param {Address} from
   * @param {string} type
   * @param {Uint8Array} ciphertext
   * @returns {Promise<Buffer>}
   * @throws if there is no session, the key was used already, or the bytes are broken
   */
  decrypt (from, type, ciphertext) {
    return this.inTurn(() => {
      const cipher = new SessionCipher(this.storage, addressOf(from))
      if (type === 'pkmsg') return cipher.decryptPreKeyWhisperMessage(Buffer.from(ciphertext))
      if (type === 'msg') return cipher.decryptWhisperMessage(Buffer.from(ciphertext))
      throw new Error(`unknown ciphertext type ${type}`)
    })
  }

  /** @param {Address} to @param {Bundle} bundle @returns {Promise<void>} the next message is a pkmsg */
  startAnew (to, bundle) {
    return this.inTurn(() => this.begin(to, bundle))
  }

  forgetSessions () {
    this.sessions.clear()
  }

  /** @param {Address} to @param {Bundle} bundle */
  async begin (to, bundle) {
    const builder = new SessionBuilder(this.storage, addressOf(to))
    // The types demand the one-time key; the code takes a bundle without one.
    await builder.initOutgoing(/** @type {Required<Bundle>} */ (bundle))
  }

  /** @returns {import('libsignal').SignalStorage} */
  makeStorage () {
    return {
      loadSession: async id => {
        const stored = this.sessions.get(id)
        return stored && SessionRecord.deserialize(stored)
      },
      storeSession: async (id, session) => { this.sessions.set(id, session.serialize()) },
      isTrustedIdentity: () => true,
      loadPreKey: async id => this.preKeys.get(Number(id)),
      removePreKey: id => { this.preKeys.delete(id) },
      loadSignedPreKey: () => this.signedPreKey,
      getOurRegistrationId: () => this.registrationId,
      getOurIdentity: () => this.identity
    }
  }
}

/** @param {Bundle} bundle @returns {Bundle} with 33-byte keys */
export function typedBundle ({ registrationId, identityKey, signedPreKey, preKey }) {
  return {
    registrationId,
    identityKey: typed(identityKey),
    signedPreKey: { ...signedPreKey, publicKey: typed(signedPreKey.publicKey) },
    ...(preKey && { preKey: { ...preKey, publicKey: typed(preKey.publicKey) } })
  }
}

/** @param {Address} address */
function addressOf ({ user, device }) {
  return new ProtocolAddress(user, device)
}

/** @param {Address} address */
function name (address) {
  return addressOf(address).toString()
}
