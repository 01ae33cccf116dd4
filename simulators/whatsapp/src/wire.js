import { disconnect } from './disconnect.js'

/**
 * @typedef {import('./mailbox.js').Letter} Letter
 * @typedef {import('./world.js').World} World
 * @typedef {import('./companion.js').Companion} Companion
 * @typedef {import('./connection.js').Connection} Connection
 */

/** The last stretch from a companion's mailbox to its socket, where faults strike. */
export class Wire {
  /** @param {World} world @param {Companion} companion @param {Connection} connection */
  constructor (world, companion, connection) {
    this.world = world
    this.companion = companion
    this.connection = connection
    /** @type {Letter | undefined} waits for the next one to overtake it */
    this.held = undefined
  }

  /** @param {Letter} letter */
  deliver (letter) {
    if (this.connection.withholding || this.strikes('drop', letter)) return
    if (!this.held && this.strikes('reorder', letter)) {
      this.held = letter
      return
    }
    const delay = this.strikes('delay', letter)
    if (delay) this.world.later(delay.ms ?? 0, () => this.write(letter))
    else this.write(letter)
  }

  /** @param {Letter} letter */
  write (letter) {
    this.connection.send(letter.node)
    this.repeat(letter)
    if (this.held && this.held !== letter) {
      const held = this.held
      this.held = undefined
      this.write(held)
    }
    if (letter.class === 'message') this.breakOff(letter)
  }

  /** @param {Letter} letter */
  repeat (letter) {
    const fault = this.strikes('duplicate', letter)
    if (!fault) return
    if (fault.mode === 'again' && letter.again) {
      letter.again().then(node => this.connection.send(node), error => this.world.failed(error))
    } else {
      this.connection.send(letter.node)
    }
  }

  /** @param {Letter} letter */
  breakOff (letter) {
    const pns = [letter.peer, this.companion.account.pn]
    const fault = this.world.faults.strike('disconnect', pns, { at: 'guest-message' })
    if (fault?.code) disconnect(this.connection, fault.code)
    if (this.world.faults.strike('silent', pns, { at: 'guest-message' })) this.connection.silence()
  }

  /** @param {string} kind @param {Letter} letter */
  strikes (kind, letter) {
    const pns = [letter.peer, this.companion.account.pn]
    return this.world.faults.strike(kind, pns, { stanza: letter.class, way: 'in' })
  }
}
