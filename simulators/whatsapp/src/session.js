import { answerIq } from './iq.js'
import { SERVER } from './jids.js'
import { children, node } from './nodes.js'
import { takeReceipt } from './receipts.js'
import { Uplink } from './uplink.js'
import { Wire } from './wire.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./world.js').World} World
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('./connection.js').Connection} Connection
 */

/** The client says so of a message whose key it has used: it was decrypted before. */
const ALREADY_DECRYPTED = '487'

/** A companion that is logged in, from its login to the end of its connection. */
export class Session {
  /** @param {World} world @param {Connection} connection @param {Companion} companion */
  constructor (world, connection, companion) {
    this.world = world
    this.connection = connection
    this.companion = companion
    this.account = companion.account
    this.online = false
    this.wire = new Wire(world, companion, connection)
    this.uplink = new Uplink(this)
  }

  begin () {
    this.companion.connection = this.connection
    this.companion.subscriptions.clear()
    this.connection.onStanza = stanza => this.receive(stanza)
    this.connection.closing.push(() => this.end())
  }

  end () {
    if (this.companion.connection !== this.connection) return
    this.companion.connection = undefined
    this.companion.mailbox.close()
    this.world.events.add('host.disconnected', this.account.pn, { deviceId: this.companion.deviceId })
  }

  /** The client is ready: hand over what waited for it, then what comes. */
  goOnline () {
    if (this.online || this.companion.connection !== this.connection) return
    this.online = true
    const backlog = this.companion.mailbox.backlog()
    for (const [index, letter] of backlog.entries()) this.wire.deliver(offline(letter, index))
    // A fault may have cut the line in the middle of it.
    if (!this.connection.open) return
    this.connection.send(node('ib', { from: SERVER }, [node('offline', { count: String(backlog.length) })]))
    this.companion.mailbox.open(letter => this.wire.deliver(letter))
    this.world.events.add('host.connected', this.account.pn, { deviceId: this.companion.deviceId, backlog: backlog.length })
    if (this.companion.wantsHistory) {
      this.companion.wantsHistory = false
      this.account.phone?.shareHistory(this.companion).catch(error => this.world.failed(error))
    }
  }

  /** @param {Node} stanza */
  receive (stanza) {
    this.world.counts.add(this.world.counts.stanzas, stanza.tag)
    switch (stanza.tag) {
      case 'iq': return answerIq(this, stanza)
      case 'message': return this.uplink.carry(stanza)
      case 'receipt': return takeReceipt(this, stanza)
      case 'presence': return this.takePresence(stanza)
      case 'chatstate': return this.takeChatState(stanza)
      case 'ack': return this.takeAck(stanza)
      case 'ib': return undefined
      default: this.world.counts.unknownStanzas++
    }
  }

  /** @param {Node} stanza */
  takePresence ({ attrs }) {
    if (attrs.type === 'subscribe') return this.subscribe(attrs.to)
    if (attrs.type !== 'available') return
    this.world.counts.availablePresences++
    this.world.events.add('client.available', this.account.pn, { deviceId: this.companion.deviceId })
  }

  /** It lasts as long as the connection. @param {string | undefined} jid */
  subscribe (jid) {
    const account = this.world.directory.find(jid)
    if (!account) return
    this.companion.subscriptions.add(account)
    this.world.events.add('client.subscribed', this.account.pn, { to: account.pn })
  }

  /** @param {Node} stanza */
  takeChatState (stanza) {
    const [state] = children(stanza)
    const to = this.world.directory.find(stanza.attrs.to)
    if (state) to?.phone?.seeChatState(state.attrs.media === 'audio' ? 'recording' : state.tag, this.account)
  }

  /** @param {Node} stanza */
  takeAck ({ attrs }) {
    const { id = '', error, class: kind } = attrs
    if (error) this.world.counts.add(this.world.counts.nacks, error)
    this.world.events.add(error ? 'client.nack' : 'client.ack', this.account.pn, { id, class: kind, ...(error && { error }) })
    if (error && error !== ALREADY_DECRYPTED) return
    const jid = attrs.participant || attrs.to || ''
    const peer = this.world.directory.find(jid)?.pn ?? jid
    if (kind === 'message') this.companion.mailbox.confirm({ class: kind, id, peer })
    if (kind === 'receipt') this.companion.mailbox.confirm({ class: kind, id: `${id} ${attrs.type ?? ''}`, peer })
  }

  /** @param {Node} stanza the request @param {Node['content']} [content] @param {Record<string, string>} [attrs] */
  reply (stanza, content, attrs = {}) {
    if (!stanza.attrs.id || this.world.faults.strike('no-iq', [this.account.pn])) return
    this.connection.send(node('iq', { type: 'result', from: SERVER, id: stanza.attrs.id, ...attrs }, content))
  }

  /** @param {Node} stanza @param {number} code @param {string} text */
  replyError (stanza, code, text) {
    this.reply(stanza, [node('error', { code: String(code), text })], { type: 'error' })
  }
}

/** @param {import('./mailbox.js').Letter} letter @param {number} index */
function offline (letter, index) {
  const stamp = (/** @type {Node} */ stanza) => ({ ...stanza, attrs: { ...stanza.attrs, offline: String(index) } })
  const again = letter.again
  return { ...letter, node: stamp(letter.node), ...(again && { again: async () => stamp(await again()) }) }
}
