import { proto } from 'baileys'
import { compose, mediaTypeOf, read } from './content.js'
import { SimulatorError } from './errors.js'
import { lidJid, pnJid } from './jids.js'
import { node, seconds } from './nodes.js'
import { Phone } from './phone.js'

/**
 * @typedef {import('./world.js').World} World
 * @typedef {import('./directory.js').Account} Account
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('baileys').proto.IMessage} IMessage
 * @typedef {import('./phone.js').Parcel} Parcel
 * @typedef {{addressing?: 'lid' | 'pn', sendsReadReceipts?: boolean, hideAlternative?: boolean, name?: string}} Manner
 * @typedef {import('./content.js').Reading & {id: string, from: string, at: number, encType: string}} Received
 */

const CHAT_STATES = ['composing', 'recording', 'paused']

/** Where else than in the chat of two a message may turn up, and from which address. */
const PLACES = {
  direct: undefined,
  group: '120363000000000001@g.us',
  status: 'status@broadcast',
  newsletter: '120363000000000002@newsletter'
}

/** @param {Record<string, unknown>} wish @returns {Manner} @throws {SimulatorError} 422 */
export function readManner ({ addressing, sendsReadReceipts, hideAlternative, name }) {
  if (addressing !== undefined && addressing !== 'lid' && addressing !== 'pn') {
    throw new SimulatorError(422, 'addressing is lid or pn')
  }
  for (const [field, value] of Object.entries({ sendsReadReceipts, hideAlternative })) {
    if (value !== undefined && typeof value !== 'boolean') throw new SimulatorError(422, `${field} is true or false`)
  }
  if (name !== undefined && typeof name !== 'string') throw new SimulatorError(422, 'name is a string')
  return /** @type {Manner} */ ({ addressing, sendsReadReceipts, hideAlternative, name })
}

/** A guest's phone. It counts all it decrypts and does away with nothing. */
export class Guest extends Phone {
  /** @param {World} world @param {Account} account @param {Manner} manner */
  constructor (world, account, manner) {
    super(world, account)
    /** @type {Required<Omit<Manner, 'name'>>} */
    this.manner = { addressing: 'lid', sendsReadReceipts: false, hideAlternative: false }
    /** @type {Received[]} */
    this.received = []
    /** @type {Record<string, number>} */
    this.timesById = {}
    /** @type {Record<string, number>} */
    this.timesByText = {}
    this.textRepeats = 0
    /** @type {Map<string, string>} the id under which each text came first */
    this.firstIds = new Map()
    /** @type {{state: string, at: number}[]} */
    this.presence = []
    /** @type {{id: string, type: string, at: number}[]} */
    this.receipts = []
    this.change(manner)
  }

  /** @param {Manner} manner what is left out stays */
  change ({ addressing, sendsReadReceipts, hideAlternative, name }) {
    const wish = { addressing, sendsReadReceipts, hideAlternative }
    const given = Object.entries(wish).filter(([, value]) => value !== undefined)
    Object.assign(this.manner, Object.fromEntries(given))
    if (name) this.account.name = name
  }

  /**
   * @param {Account} host
   * @param {import('./content.js').Wording & {id?: string, broken?: boolean, in?: keyof typeof PLACES,
   *   data?: unknown}} wish data: a file to upload, in base64
   * @returns {Promise<{id: string, devices: number}>} devices: how many companions it was encrypted for
   * @throws {SimulatorError} 422
   */
  async send (host, { id = this.newId(), broken = false, in: place = 'direct', data, ...described }) {
    if (!(place in PLACES)) throw new SimulatorError(422, `in is one of ${Object.keys(PLACES).join(', ')}`)
    const { addressing } = this.manner
    const media = data === undefined ? undefined : await this.upload(id, described.kind, data)
    const wording = { ...described, media }
    const { message, type } = compose(wording, { own: this.account.jid(addressing), other: host.jid(addressing) })
    const companions = [...host.companions.values()]
    const attrs = { ...this.envelope(PLACES[place]), type }
    await Promise.all(companions.map(companion => place === 'newsletter'
      ? this.publish(companion, { id, message, attrs })
      : this.post(companion, { id, peer: this.account.pn, message, attrs, broken })))
    return { id, devices: companions.length }
  }

  /**
   * @param {string} messageId @param {string | undefined} kind @param {unknown} data in base64
   * @throws {SimulatorError} 422
   */
  async upload (messageId, kind, data) {
    const type = mediaTypeOf(kind)
    const bytes = Buffer.from(typeof data === 'string' ? data : '', 'base64')
    if (bytes.length === 0) throw new SimulatorError(422, 'data is a file in base64, of at least one byte')
    const { pn } = this.account
    const media = await this.world.media.upload({ pn, messageId, type, bytes })
    this.world.events.add('media.uploaded', pn, { id: messageId, directPath: media.directPath })
    return media
  }

  /**
   * Newsletters are not encrypted.
   *
   * @param {Companion} to
   * @param {Pick<import('./phone.js').Posting, 'id' | 'message' | 'attrs'>} posting
   */
  async publish (to, { id, message, attrs }) {
    const content = [node('plaintext', {}, proto.Message.encode(message).finish())]
    const { from, type } = attrs
    to.mailbox.put({
      class: 'message',
      id,
      peer: PLACES.newsletter,
      node: node('message', { id, t: seconds(), from, type, server_id: '100' }, content)
    })
  }

  /** @param {string | undefined} place @returns {Record<string, string | undefined>} who it is from, and where */
  envelope (place) {
    const { addressing, hideAlternative } = this.manner
    const jid = this.account.jid(addressing)
    const [pn, lid] = [pnJid(this.account.pn), lidJid(this.account.lid)]
    const role = place ? 'participant' : 'sender'
    const alternative = addressing === 'lid' ? { [`${role}_pn`]: pn } : { [`${role}_lid`]: lid }
    return {
      from: place ?? jid,
      participant: place && jid,
      notify: this.account.name,
      addressing_mode: addressing,
      ...(hideAlternative ? {} : alternative)
    }
  }

  /**
   * Told only to clients that have subscribed to this guest's presence.
   *
   * @param {Account} host @param {string} state @throws {SimulatorError} 422
   */
  type (host, state) {
    if (!CHAT_STATES.includes(state)) throw new SimulatorError(422, `state is one of ${CHAT_STATES.join(', ')}`)
    const shown = state === 'recording' ? node('composing', { media: 'audio' }) : node(state)
    const chatState = node('chatstate', { from: this.account.jid(this.manner.addressing) }, [shown])
    for (const companion of host.companions.values()) {
      if (companion.subscriptions.has(this.account)) companion.connection?.send(chatState)
    }
  }

  /** @param {IMessage} message @param {Parcel} parcel */
  take (message, { from, stanza, enc }) {
    this.note(message, { id: stanza.attrs.id ?? '', from: from.account, encType: enc.attrs.type ?? '' })
    this.sendReceipt(from, stanza)
    if (this.manner.sendsReadReceipts) this.sendReceipt(from, stanza, 'read')
  }

  /** @param {IMessage} message @param {{id: string, from: Account, encType: string}} envelope */
  note (message, { id, from, encType }) {
    const reading = { id, ...read(message), from: from.pn, at: Date.now(), encType }
    this.received.push(reading)
    this.timesById[id] = (this.timesById[id] ?? 0) + 1
    this.timesByText[reading.text] = (this.timesByText[reading.text] ?? 0) + 1
    if (reading.text && (this.firstIds.get(reading.text) ?? id) !== id) this.textRepeats++
    if (!this.firstIds.has(reading.text)) this.firstIds.set(reading.text, id)
    this.world.events.add('guest.received', this.account.pn, { ...reading, times: this.timesById[id] })
  }

  /** @param {import('./phone.js').Receipt} receipt */
  async takeReceipt (receipt) {
    const { id, type, from } = receipt
    this.receipts.push({ id, type, at: Date.now() })
    this.world.events.add('guest.receipt', this.account.pn, { id, receipt: type, from: from.account.pn })
    await super.takeReceipt(receipt)
  }

  /** @param {string} state @param {Account} from */
  seeChatState (state, from) {
    this.presence.push({ state, at: Date.now() })
    this.world.events.add('guest.presence', this.account.pn, { state, from: from.pn })
  }

  state () {
    const { received, timesById, timesByText, textRepeats, repeatedDeliveries, undecryptable } = this
    const { pn, lid, name } = this.account
    return {
      pn, lid, name, ...this.manner, received, timesById, timesByText, textRepeats, repeatedDeliveries, undecryptable,
      presence: this.presence, receipts: this.receipts
    }
  }
}
