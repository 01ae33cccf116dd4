import { child, children, node } from './nodes.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./session.js').Session} Session
 */

/**
 * A client's receipt: its message is delivered and leaves the mailbox, unless it asks for a resend;
 * the sender's phone hears of it.
 *
 * @param {Session} session @param {Node} stanza
 */
export function takeReceipt (session, stanza) {
  const { directory } = session.world
  const { id = '', to, type, recipient, participant } = stanza.attrs
  const peer = directory.find(recipient) ?? directory.find(participant) ?? directory.find(to)
  session.connection.send(node('ack', { class: 'receipt', id, from: to, type, participant }))
  if (!peer) return
  const ids = [id, ...children(child(stanza, 'list')).map(item => item.attrs.id ?? '')]
  for (const one of ids) {
    if (type !== 'retry') session.companion.mailbox.confirm({ class: 'message', id: one, peer: peer.pn })
    const author = recipient ? session.account.phone : peer.phone
    author?.takeReceipt({ id: one, type: type ?? 'delivery', stanza, from: session.companion, chat: peer })
      .catch(error => session.world.failed(error))
  }
}
