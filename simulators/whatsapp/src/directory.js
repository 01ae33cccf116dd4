import { SimulatorError } from './errors.js'
import { lidJid, parseJid, pnJid, SERVER } from './jids.js'

/**
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('./phone.js').Phone} Phone
 */

/** A person's or a business's account: its number, its LID, its phone and the devices linked to it. */
export class Account {
  /** @param {{pn: string, lid: string, name: string}} card */
  constructor ({ pn, lid, name }) {
    this.pn = pn
    this.lid = lid
    this.name = name
    /** @type {Map<number, Companion>} by device id */
    this.companions = new Map()
    /** Ids of devices that were removed are not given again. */
    this.lastDeviceId = 0
    /** @type {Phone | undefined} set by the phone itself */
    this.phone = undefined
  }

  /** @param {'lid' | 'pn'} addressing @returns {string} */
  jid (addressing) {
    return addressing === 'lid' ? lidJid(this.lid) : pnJid(this.pn)
  }
}

/** All accounts that exist; any other number is not on WhatsApp. */
export class Directory {
  /** @param {import('./random.js').Random} random */
  constructor (random) {
    this.random = random
    /** @type {Map<string, Account>} */
    this.byPn = new Map()
    /** @type {Map<string, Account>} */
    this.byLid = new Map()
  }

  /**
   * @param {{pn?: unknown, lid?: unknown, name?: unknown}} wish
   * @returns {Account}
   * @throws {SimulatorError} 422 or 409
   */
  register ({ pn, lid = undefined, name = '' }) {
    const number = digits('pn', pn)
    const hidden = lid === undefined ? this.freeLid(number) : digits('lid', lid)
    if (this.byPn.has(number) || this.byLid.has(hidden)) throw new SimulatorError(409, `${number} is registered already`)
    if (typeof name !== 'string') throw new SimulatorError(422, 'name is a string')
    const account = new Account({ pn: number, lid: hidden, name: name || `User ${number.slice(-4)}` })
    this.byPn.set(number, account)
    this.byLid.set(hidden, account)
    return account
  }

  /**
   * A number is given to somebody else: another account with another LID. The old one is without a number.
   *
   * @param {Account} account
   * @param {{lid?: unknown, name?: unknown}} wish
   * @returns {Account}
   * @throws {SimulatorError} 422 or 409
   */
  passOn (account, { lid, name }) {
    this.byPn.delete(account.pn)
    try {
      return this.register({ pn: account.pn, lid, name })
    } catch (error) {
      this.byPn.set(account.pn, account)
      throw error
    }
  }

  /** @param {string} pn @returns {string} one that follows from the seed and how often the number was given out */
  freeLid (pn) {
    const first = this.random.digits(15, `lid ${pn}`)
    let owner = 1
    let lid = first
    while (this.byLid.has(lid)) lid = this.random.digits(15, `lid ${pn} of owner ${++owner}`)
    return lid
  }

  /** @param {string | undefined} jid @returns {Account | undefined} undefined if nobody has it */
  find (jid) {
    const parsed = parseJid(jid)
    if (parsed?.server === SERVER) return this.byPn.get(parsed.user)
    if (parsed?.server === 'lid') return this.byLid.get(parsed.user)
    return undefined
  }
}

/** @param {string} field @param {unknown} value */
function digits (field, value) {
  if (typeof value !== 'string' || !/^\d{6,15}$/.test(value)) {
    throw new SimulatorError(422, `${field} is a string of 6 to 15 digits, without a plus sign`)
  }
  return value
}
