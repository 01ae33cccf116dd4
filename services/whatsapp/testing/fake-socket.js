import { EventEmitter } from 'node:events'

/**
 * A Baileys socket as far as a connection sees it; the test plays WhatsApp.
 */
export function makeFakeSocket () {
  const ev = new EventEmitter()
  const ws = Object.assign(new EventEmitter(), { socket: { terminate: () => closeWith(428) } })
  let ended = false

  /** @param {number | undefined} code */
  function closeWith (code) {
    if (ended) return
    ended = true
    const error = { output: { statusCode: code } }
    ev.emit('connection.update', { connection: 'close', lastDisconnect: { error } })
  }

  return {
    ev,
    ws,
    /** @type {string[]} */
    askedAgain: /** @type {string[]} */ ([]),
    isAnswering: true,
    closeWith,
    hasEnded: () => ended,
    generateMessageTag: () => 'tag',
    /** @returns {Promise<any>} undefined: no answer in time, as Baileys has it */
    async query () {
      return this.isAnswering ? { tag: 'iq', attrs: {} } : undefined
    },
    /** @param {any} stanza */
    async sendRetryRequest (stanza) {
      this.askedAgain.push(stanza.attrs.id)
    },
    /** @param {string} phone */
    requestPairingCode: async phone => `CODE${phone.slice(-4)}`,
    async end () {
      ended = true
    },
    async logout () {
      ended = true
    },
    /** @param {object} update */
    update: update => ev.emit('connection.update', update)
  }
}
