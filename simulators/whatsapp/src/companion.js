import { timingSafeEqual } from 'node:crypto'
import { lidJid, pnJid, SERVER } from './jids.js'
import { Mailbox } from './mailbox.js'
import { node, seconds } from './nodes.js'
import { typedBundle } from './signal.js'

/**
 * @typedef {import('./signal.js').Bundle} Bundle
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {{deviceId: number, noiseKey: Buffer, identityKey: Buffer, registrationId: number,
 *   signedPreKey: Bundle['signedPreKey']}} Enrolment keys of 32 bytes
 */

/** Below this many one-time keys the server asks for more, as Baileys' own minimum has it. */
const FEW_PRE_KEYS = 5

/** A linked device of an account, as the server knows it. */
export class Companion {
  /** @param {import('./directory.js').Account} account @param {Enrolment} enrolment */
  constructor (account, { deviceId, noiseKey, identityKey, registrationId, signedPreKey }) {
    this.account = account
    this.deviceId = deviceId
    this.noiseKey = noiseKey
    this.identityKey = identityKey
    this.registrationId = registrationId
    this.signedPreKey = signedPreKey
    /** @type {NonNullable<Bundle['preKey']>[]} */
    this.preKeys = []
    this.mailbox = new Mailbox()
    /** @type {Connection | undefined} */
    this.connection = undefined
    /** @type {Set<import('./directory.js').Account>} whose presence this connection wants to know */
    this.subscriptions = new Set()
    /** A phone sends its history to a companion once, after it first comes online. */
    this.wantsHistory = true
    this.asked = 0
  }

  get pnJid () {
    return pnJid(this.account.pn, this.deviceId)
  }

  get lidJid () {
    return lidJid(this.account.lid, this.deviceId)
  }

  /** @returns {import('./signal.js').Address} */
  get address () {
    return { user: this.account.pn, device: this.deviceId }
  }

  /** @param {Uint8Array} noiseKey @returns {boolean} whether it is the one that was paired */
  isKnownBy (noiseKey) {
    return noiseKey.length === this.noiseKey.length && timingSafeEqual(noiseKey, this.noiseKey)
  }

  /** @returns {Bundle} each one-time key is handed out once; without one when they have run out */
  takeBundle () {
    const preKey = this.preKeys.shift()
    if (this.preKeys.length < FEW_PRE_KEYS) this.askForPreKeys()
    const { registrationId, identityKey, signedPreKey } = this
    return typedBundle({ registrationId, identityKey, signedPreKey, ...(preKey && { preKey }) })
  }

  askForPreKeys () {
    const value = String(this.preKeys.length)
    this.connection?.send(node('notification', {
      id: `prekeys-${this.deviceId}-${this.asked++}`, type: 'encrypt', from: SERVER, t: seconds()
    }, [node('count', { value })]))
  }
}
