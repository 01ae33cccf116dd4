import { deflateSync } from 'node:zlib'
import { proto } from 'baileys'
import { decode, encode, read } from './content.js'
import { answerMediaRetry } from './media-retry.js'
import { Phone } from './phone.js'

/**
 * @typedef {import('./world.js').World} World
 * @typedef {import('./directory.js').Account} Account
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('./phone.js').Parcel} Parcel
 * @typedef {import('./guest.js').Guest} Guest
 */

const { Type } = proto.Message.ProtocolMessage
const INITIAL_BOOTSTRAP = 0

/** The business's own phone: it links companions, gets a copy of what they send, and can be typed on. */
export class HostPhone extends Phone {
  /** @param {World} world @param {Account} account */
  constructor (world, account) {
    super(world, account)
    /** @type {{id: string, text: string, to: string}[]} copies of what companions sent */
    this.copies = []
  }

  /** @param {proto.IMessage} message @param {Parcel} parcel */
  take (message, { stanza, from }) {
    const sent = message.deviceSentMessage
    if (!sent?.message || from.account !== this.account) return
    const to = this.world.directory.find(sent.destinationJid ?? undefined)?.pn ?? ''
    const copy = { id: stanza.attrs.id ?? '', text: read(sent.message).text, to }
    this.copies.push(copy)
    this.world.events.add('host.copy', this.account.pn, copy)
  }

  /**
   * Somebody types on the business's phone: the guest gets the message, each companion a copy.
   *
   * @param {Guest} guest @param {string} text @param {string} [id]
   * @returns {Promise<{id: string}>}
   */
  async send (guest, text, id = this.newId()) {
    const message = { conversation: text }
    await this.handTo(guest, message, id)
    const { addressing } = guest.manner
    const destinationJid = guest.account.jid(addressing)
    const attrs = {
      from: this.account.jid(addressing),
      recipient: destinationJid,
      type: 'text',
      notify: this.account.name,
      addressing_mode: addressing,
      ...(guest.manner.hideAlternative ? {} : alternativeOf(guest))
    }
    const copy = { deviceSentMessage: { destinationJid, message } }
    const companions = [...this.account.companions.values()]
    await Promise.all(companions.map(companion =>
      this.post(companion, { id, peer: guest.account.pn, message: copy, attrs })))
    return { id }
  }

  /**
   * From phone to phone, encrypted like all else.
   *
   * @param {Guest} guest @param {proto.IMessage} message @param {string} id
   */
  async handTo (guest, message, id) {
    // By LID: a number may have been passed on to another phone.
    const to = { user: guest.account.lid, device: 0 }
    const from = { user: this.account.pn, device: 0 }
    const { type, ciphertext } = await this.endpoint.encrypt(to, encode(message), () => guest.endpoint.takeBundle())
    const plaintext = await guest.endpoint.decrypt(from, type, ciphertext)
    guest.note(decode(plaintext), { id, from: this.account, encType: type })
  }

  /**
   * What a phone does once after linking: share the key of the app state and a first history.
   * Until then Baileys holds messages back for 20 seconds.
   *
   * @param {Companion} companion
   */
  async shareHistory (companion) {
    const appStateSyncKeyShare = { keys: [this.appStateKey()] }
    await this.tell(companion, { type: Type.APP_STATE_SYNC_KEY_SHARE, appStateSyncKeyShare })
    const chunk = { syncType: INITIAL_BOOTSTRAP, chunkOrder: 1, progress: 100 }
    const history = proto.HistorySync.encode(chunk)
    await this.tell(companion, {
      type: Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        ...chunk,
        initialHistBootstrapInlinePayload: deflateSync(history.finish())
      }
    })
  }

  /** @param {import('./phone.js').Receipt} receipt */
  async takeReceipt (receipt) {
    if (receipt.type === 'server-error') answerMediaRetry(this, receipt)
    else await super.takeReceipt(receipt)
  }

  appStateKey () {
    const { random } = this.world
    const fingerprint = { rawId: 1, currentIndex: 0, deviceIndexes: [0] }
    const keyData = { keyData: random.bytes(32, `app state ${this.account.pn}`), fingerprint, timestamp: Date.now() }
    return { keyId: { keyId: random.bytes(6, `app state id ${this.account.pn}`) }, keyData }
  }

  /** @param {Companion} companion @param {proto.Message.IProtocolMessage} protocolMessage */
  tell (companion, protocolMessage) {
    const attrs = { from: this.account.jid('pn'), type: 'text', category: 'peer' }
    return this.post(companion, { id: this.newId(), peer: this.account.pn, message: { protocolMessage }, attrs })
  }

  state () {
    const { pn, lid, name, companions } = this.account
    const devices = [...companions.values()].map(one => ({ id: one.deviceId, connected: Boolean(one.connection) }))
    return { pn, lid, name, devices, sent: this.copies, undecryptable: this.undecryptable }
  }
}

/** @param {Guest} guest */
function alternativeOf ({ account, manner }) {
  return manner.addressing === 'lid'
    ? { peer_recipient_pn: account.jid('pn') }
    : { peer_recipient_lid: account.jid('lid') }
}
