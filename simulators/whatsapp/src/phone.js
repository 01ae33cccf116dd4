import { createHash } from 'node:crypto'
import { isVouchedFor } from './adv.js'
import { breakCiphertext } from './breakage.js'
import { decode, encode } from './content.js'
import { bare, typed } from './keys.js'
import { bigEndian, bytesOf, child, fromBigEndian, node, seconds } from './nodes.js'
import { SignalEndpoint } from './signal.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./world.js').World} World
 * @typedef {import('./directory.js').Account} Account
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('./signal.js').Bundle} Bundle
 * @typedef {import('baileys').proto.IMessage} IMessage
 * @typedef {{from: Companion, stanza: Node, enc: Node, credential: Buffer | undefined}} Parcel
 * @typedef {{id: string, type: string, stanza: Node, from: Companion, chat: Account}} Receipt
 * @typedef {Record<string, string | undefined>} Attrs
 * @typedef {{id: string, peer: string, message: IMessage, attrs: Attrs, broken?: boolean}} Posting
 *   peer: number of the account that the client sees it in conversation with
 */

const MOST_RESENDS = 5

/** The phone of an account: a Signal endpoint that is always on and never forgets what it sent. */
export class Phone {
  /** @param {World} world @param {Account} account */
  constructor (world, account) {
    this.world = world
    this.account = account
    this.endpoint = new SignalEndpoint(world.random, `phone ${account.pn} ${account.lid}`)
    this.undecryptable = 0
    this.repeatedDeliveries = 0
    /** @type {Set<string>} hashes of the ciphertexts that were read or are being read */
    this.taken = new Set()
    /** @type {Map<string, {posting: Posting, resends: number}>} */
    this.sent = new Map()
    /** @type {Map<string, number>} how often each message was asked for again */
    this.asked = new Map()
    account.phone = this
  }

  newId () {
    return `3EB0${this.world.random.next(9).toString('hex').toUpperCase()}`
  }

  /**
   * Encrypt a message for one companion and leave it in its mailbox.
   *
   * @param {Companion} to @param {Posting} posting
   */
  async post (to, posting) {
    this.sent.set(sentKey(to, posting.id), { posting, resends: 0 })
    const stanza = await this.seal(to, posting)
    this.putMessage(to, posting, posting.broken ? breakEnc(stanza) : stanza)
  }

  /** @param {Companion} to @param {Posting} posting @param {Node} stanza */
  putMessage (to, posting, stanza) {
    const { id, peer } = posting
    to.mailbox.put({ class: 'message', id, peer, node: stanza, again: () => this.seal(to, posting) })
  }

  /** @param {Companion} to @param {Posting} posting @param {string} [count] of the retry @returns {Promise<Node>} */
  async seal (to, { id, message, attrs }, count) {
    const padding = 1 + (this.world.random.next(1)[0] ?? 0) % 16
    const plaintext = encode(message, padding)
    const { type, ciphertext } = await this.endpoint.encrypt(to.address, plaintext, () => to.takeBundle())
    return node('message', { id, t: seconds(), ...attrs }, [node('enc', { v: '2', type, count }, ciphertext)])
  }

  /**
   * The companion could not decrypt: the same message under the same id, in a new session.
   *
   * @param {Receipt} receipt
   */
  async resend ({ id, stanza, from }) {
    const sent = this.sent.get(sentKey(from, id))
    if (!sent || sent.resends >= MOST_RESENDS) return
    sent.resends++
    await this.endpoint.startAnew(from.address, bundleIn(stanza) ?? from.takeBundle())
    this.putMessage(from, sent.posting, await this.seal(from, sent.posting, child(stanza, 'retry')?.attrs.count))
  }

  /** @param {Receipt} receipt */
  async takeReceipt (receipt) {
    if (receipt.type === 'retry') await this.resend(receipt)
  }

  /** A companion's message to this phone. @param {Parcel} parcel */
  async receive (parcel) {
    const { from, stanza, enc, credential } = parcel
    const accountKey = from.account.phone?.endpoint.identity.pubKey
    if (credential && !(accountKey && isVouchedFor(credential, accountKey, from.identityKey))) {
      return this.cannotRead(parcel, 'its device identity is not signed as it must be')
    }
    if (!credential && enc.attrs.type === 'pkmsg') this.world.counts.missingDeviceIdentities++
    const ciphertext = bytesOf(enc) ?? Buffer.alloc(0)
    // The very same bytes are a hiccup of the line; Signal's own clients drop them without a word.
    const hash = hashOf(ciphertext)
    if (this.taken.has(hash)) return void this.repeatedDeliveries++
    this.taken.add(hash)
    try {
      const plaintext = await this.endpoint.decrypt(from.address, enc.attrs.type ?? '', ciphertext)
      this.take(decode(plaintext), parcel)
    } catch (error) {
      this.taken.delete(hash)
      this.cannotRead(parcel, error instanceof Error ? error.message : String(error))
      this.askAgain(from, stanza)
    }
  }

  /** What the phone does with a message that it could read. @param {IMessage} _message @param {Parcel} _parcel */
  take (_message, _parcel) {}

  /** @param {Parcel} parcel @param {string} why */
  cannotRead ({ stanza, from }, why) {
    this.undecryptable++
    this.world.events.add('phone.undecryptable', this.account.pn, { id: stanza.attrs.id, from: from.account.pn, why })
  }

  /** @param {Companion} from @param {Node} stanza */
  askAgain (from, stanza) {
    const id = stanza.attrs.id ?? ''
    const count = (this.asked.get(id) ?? 0) + 1
    if (count > MOST_RESENDS) return
    this.asked.set(id, count)
    this.sendReceipt(from, stanza, 'retry', [
      node('retry', { count: String(count), id, t: seconds(), v: '1' }),
      node('registration', {}, bigEndian(this.endpoint.registrationId, 4)),
      ...(count > 1 ? [node('keys', {}, keyNodes(this.endpoint.takeBundle()))] : [])
    ])
  }

  /**
   * @param {Companion} to @param {Node} about the message
   * @param {string} [type] none: it was delivered
   * @param {Node['content']} [content]
   */
  sendReceipt (to, about, type, content) {
    const id = about.attrs.id ?? ''
    to.mailbox.put({
      class: 'receipt', id: `${id} ${type ?? ''}`, peer: this.account.pn,
      node: node('receipt', { from: about.attrs.to, id, type, t: seconds() }, content)
    })
  }

  /** @param {string} _state @param {Account} _from */
  seeChatState (_state, _from) {}

  /** @param {Companion} _companion @returns {Promise<void>} */
  async shareHistory (_companion) {}
}

/** @param {Buffer} ciphertext */
function hashOf (ciphertext) {
  return createHash('sha256').update(ciphertext).digest('base64')
}

/** @param {Companion} companion @param {string} id */
function sentKey (companion, id) {
  return `${companion.account.pn}:${companion.deviceId} ${id}`
}

/** @param {Node} stanza @returns {Node} */
function breakEnc (stanza) {
  const enc = /** @type {Node} */ (child(stanza, 'enc'))
  const ciphertext = breakCiphertext(enc.attrs.type ?? '', bytesOf(enc) ?? Buffer.alloc(0))
  return { ...stanza, content: [{ ...enc, content: ciphertext }] }
}

/** @param {Node} receipt @returns {Bundle | undefined} the keys that the client sent along, if it did */
function bundleIn (receipt) {
  const keys = child(receipt, 'keys')
  const skey = child(keys, 'skey')
  const key = child(keys, 'key')
  const [identity, registration] = [bytesOf(child(keys, 'identity')), bytesOf(child(receipt, 'registration'))]
  if (!skey || !identity || !registration) return undefined
  const part = (/** @type {Node} */ of) => ({
    keyId: fromBigEndian(bytesOf(child(of, 'id')) ?? Buffer.alloc(1)),
    publicKey: typed(bytesOf(child(of, 'value')) ?? Buffer.alloc(32))
  })
  return {
    registrationId: fromBigEndian(registration),
    identityKey: typed(identity),
    signedPreKey: { ...part(skey), signature: bytesOf(child(skey, 'signature')) ?? Buffer.alloc(64) },
    ...(key && { preKey: part(key) })
  }
}

/** @param {Bundle} bundle @returns {Node[]} */
function keyNodes ({ identityKey, signedPreKey, preKey }) {
  const key = (/** @type {{keyId: number, publicKey: Buffer}} */ { keyId, publicKey }) =>
    [node('id', {}, bigEndian(keyId, 3)), node('value', {}, bare(publicKey))]
  return [
    node('type', {}, Buffer.from([5])),
    node('identity', {}, bare(identityKey)),
    ...(preKey ? [node('key', {}, key(preKey))] : []),
    node('skey', {}, [...key(signedPreKey), node('signature', {}, signedPreKey.signature)])
  ]
}
