import { partiesOf, takeMessage } from './outbound.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./session.js').Session} Session
 */

/** A message's stretch from the client to the server, where faults strike. */
export class Uplink {
  /** @param {Session} session */
  constructor (session) {
    this.session = session
    /** @type {Node | undefined} waits for the next one to overtake it */
    this.held = undefined
  }

  /** @param {Node} stanza */
  carry (stanza) {
    if (this.strikes('drop', stanza)) return
    if (!this.held && this.strikes('reorder', stanza)) {
      this.held = stanza
      return
    }
    const delay = this.strikes('delay', stanza)
    if (delay) this.session.world.later(delay.ms ?? 0, () => this.pass(stanza))
    else this.pass(stanza)
  }

  /** @param {Node} stanza */
  pass (stanza) {
    takeMessage(this.session, stanza)
    if (this.strikes('duplicate', stanza)) takeMessage(this.session, stanza)
    const { held } = this
    this.held = undefined
    if (held) this.pass(held)
  }

  /** @param {string} kind @param {Node} stanza */
  strikes (kind, stanza) {
    return this.session.world.faults.strike(kind, partiesOf(this.session, stanza), { way: 'out' })
  }
}
