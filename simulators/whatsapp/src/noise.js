import { createCipheriv, createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import { NOISE_MODE, NOISE_WA_HEADER, proto } from 'baileys'
import { agree, bare } from './keys.js'

/** @typedef {import('./keys.js').KeyPair} KeyPair */

const TAG_BYTES = 16
const NOTHING = Buffer.alloc(0)

/**
 * The server's side of Noise XX as WhatsApp speaks it: hello, answer, finish, then two keys.
 * The suite's name has 32 bytes and is hash, salt and first key at once.
 */
export class NoiseServer {
  /** @param {{staticKey: KeyPair, ephemeral: KeyPair, chain: Buffer}} own */
  constructor ({ staticKey, ephemeral, chain }) {
    this.staticKey = staticKey
    this.ephemeral = ephemeral
    this.chain = chain
    /** @type {Buffer} */
    this.hash = Buffer.from(NOISE_MODE)
    this.salt = this.hash
    this.key = this.hash
    this.counter = 0
    this.mixHash(NOISE_WA_HEADER)
  }

  /** @param {Uint8Array} bytes the client's hello @returns {Buffer} the server's */
  answerHello (bytes) {
    const { clientHello } = proto.HandshakeMessage.decode(bytes)
    if (clientHello?.ephemeral?.length !== 32) throw new Error('client hello without an ephemeral key')
    this.mixHash(clientHello.ephemeral)
    this.mixHash(bare(this.ephemeral.pubKey))
    this.mixKey(agree(clientHello.ephemeral, this.ephemeral.privKey))
    const staticKey = this.encrypt(bare(this.staticKey.pubKey))
    this.mixKey(agree(clientHello.ephemeral, this.staticKey.privKey))
    const payload = this.encrypt(this.chain)
    const serverHello = { ephemeral: bare(this.ephemeral.pubKey), static: staticKey, payload }
    return Buffer.from(proto.HandshakeMessage.encode({ serverHello }).finish())
  }

  /**
   * @param {Uint8Array} bytes the client's finish
   * @returns {{noiseKey: Buffer, payload: proto.ClientPayload, transport: Transport}}
   *   noiseKey: the client's static key, which is its login credential
   */
  acceptFinish (bytes) {
    const { clientFinish } = proto.HandshakeMessage.decode(bytes)
    if (!clientFinish?.static || !clientFinish.payload) throw new Error('client finish is incomplete')
    const noiseKey = this.decrypt(clientFinish.static)
    this.mixKey(agree(noiseKey, this.ephemeral.privKey))
    const payload = proto.ClientPayload.decode(this.decrypt(clientFinish.payload))
    const [fromClient, toClient] = this.derive(NOTHING)
    return { noiseKey, payload, transport: new Transport(fromClient, toClient) }
  }

  /** @param {Uint8Array} data */
  mixHash (data) {
    this.hash = createHash('sha256').update(this.hash).update(data).digest()
  }

  /** @param {Uint8Array} secret */
  mixKey (secret) {
    [this.salt, this.key] = this.derive(secret)
    this.counter = 0
  }

  /** @param {Uint8Array} secret @returns {[Buffer, Buffer]} */
  derive (secret) {
    const okm = Buffer.from(hkdfSync('sha256', secret, this.salt, NOTHING, 64))
    return [okm.subarray(0, 32), okm.subarray(32)]
  }

  /** @param {Uint8Array} plaintext */
  encrypt (plaintext) {
    const ciphertext = seal(this.key, this.counter++, plaintext, this.hash)
    this.mixHash(ciphertext)
    return ciphertext
  }

  /** @param {Uint8Array} ciphertext */
  decrypt (ciphertext) {
    const plaintext = open(this.key, this.counter++, ciphertext, this.hash)
    this.mixHash(ciphertext)
    return plaintext
  }
}

/** Both directions after the handshake, each with a counter of its own. */
export class Transport {
  /** @param {Buffer} readKey @param {Buffer} writeKey */
  constructor (readKey, writeKey) {
    this.readKey = readKey
    this.writeKey = writeKey
    this.read = 0
    this.written = 0
  }

  /** @param {Uint8Array} plaintext */
  encrypt (plaintext) {
    return seal(this.writeKey, this.written++, plaintext, NOTHING)
  }

  /** @param {Uint8Array} ciphertext */
  decrypt (ciphertext) {
    return open(this.readKey, this.read++, ciphertext, NOTHING)
  }
}

/** @param {number} counter @returns {Buffer} 8 zero bytes, then the counter */
function nonce (counter) {
  const iv = Buffer.alloc(12)
  iv.writeUInt32BE(counter, 8)
  return iv
}

/** @param {Buffer} key @param {number} counter @param {Uint8Array} plaintext @param {Buffer} aad */
function seal (key, counter, plaintext, aad) {
  const cipher = createCipheriv('aes-256-gcm', key, nonce(counter)).setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** @param {Buffer} key @param {number} counter @param {Uint8Array} sealed @param {Buffer} aad */
function open (key, counter, sealed, aad) {
  const end = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, nonce(counter)).setAAD(aad)
  decipher.setAuthTag(sealed.subarray(end))
  return Buffer.concat([decipher.update(sealed.subarray(0, end)), decipher.final()])
}
