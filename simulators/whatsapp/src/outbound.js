import { disconnect } from './disconnect.js'
import { parseJid } from './jids.js'
import { bytesOf, child, children, node, seconds } from './nodes.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./directory.js').Account} Account
 * @typedef {{jid: string, enc: Node}} Parcel one device's share of a message
 */

/**
 * Nobody outside knows WhatsApp's own code for an unknown number; what matters is that the message
 * is refused with one.
 */
const NO_SUCH_USER = 404
const MALFORMED = 479

/**
 * A message from a client: refuse it, or acknowledge it and pass each device its share.
 *
 * @param {Session} session @param {Node} stanza
 */
export function takeMessage (session, stanza) {
  if (!stanza.attrs.id) return disconnect(session.connection, 500)
  const parcels = readParcels(stanza)
  const refusal = refusalOf(session, stanza, parcels)
  if (refusal) return refuse(session, stanza, refusal)
  const { faults } = session.world
  const pns = partiesOf(session, stanza)
  const cut = faults.strike('disconnect', pns, { at: 'client-message' })
  const black = faults.strike('silent', pns, { at: 'client-message' })
  const mute = faults.strike('no-ack', pns)
  const late = faults.strike('ack-delay', pns)
  if ((cut ?? mute)?.delivered !== false && !black) deliver(session, stanza, parcels)
  if (cut?.code) return disconnect(session.connection, cut.code)
  if (black) return session.connection.silence()
  if (mute) return
  if (late) session.world.later(late.ms ?? 0, () => acknowledge(session, stanza))
  else acknowledge(session, stanza)
}

/** @param {Node} stanza @returns {Parcel[] | undefined} undefined if it holds nothing to pass on */
function readParcels (stanza) {
  const participants = child(stanza, 'participants')
  const direct = child(stanza, 'enc')
  if (direct) return [{ jid: stanza.attrs.to ?? '', enc: direct }]
  if (!participants) return stanza.content === undefined || children(stanza).length === 0 ? [] : undefined
  return children(participants).flatMap(to => {
    const enc = child(to, 'enc')
    return enc ? [{ jid: to.attrs.jid ?? '', enc }] : []
  })
}

/** @param {Session} session @param {Node} stanza @param {Parcel[] | undefined} parcels @returns {number | undefined} */
function refusalOf (session, stanza, parcels) {
  const { directory, faults } = session.world
  const known = directory.find(stanza.attrs.to)
  if (!parseJid(stanza.attrs.to) || !stanza.attrs.type || !parcels) return MALFORMED
  if (parcels.some(({ enc }) => !bytesOf(enc)?.length || !['msg', 'pkmsg'].includes(enc.attrs.type ?? ''))) return MALFORMED
  if (!known) return NO_SUCH_USER
  return faults.strike('ack-error', partiesOf(session, stanza))?.code
}

/** @param {Session} session @param {Node} stanza @returns {string[]} numbers of those who take part */
export function partiesOf ({ world, account }, stanza) {
  const to = world.directory.find(stanza.attrs.recipient ?? stanza.attrs.to)
  return to ? [account.pn, to.pn] : [account.pn]
}

/** @param {Session} session @param {Node} stanza @param {number} code */
function refuse (session, stanza, code) {
  session.world.counts.refusedMessages++
  session.connection.send(ack(stanza, { error: String(code) }))
  session.world.events.add('message.refused', session.account.pn, { id: stanza.attrs.id, to: stanza.attrs.to, code })
}

/** @param {Session} session @param {Node} stanza */
function acknowledge (session, stanza) {
  session.connection.send(ack(stanza))
  session.world.events.add('message.acked', session.account.pn, { id: stanza.attrs.id, to: stanza.attrs.to })
}

/** @param {Node} stanza @param {Record<string, string>} [more] */
function ack ({ attrs }, more = {}) {
  return node('ack', { class: 'message', id: attrs.id, from: attrs.to, t: seconds(), ...more })
}

/**
 * Exactly what was addressed goes out: a device that the client left out gets nothing.
 *
 * @param {Session} session @param {Node} stanza @param {Parcel[] | undefined} parcels
 */
function deliver (session, stanza, parcels = []) {
  if (parcels.length === 0) {
    session.world.counts.emptyParticipants++
    session.world.events.add('message.to-nobody', session.account.pn, { id: stanza.attrs.id, to: stanza.attrs.to })
  }
  const credential = bytesOf(child(stanza, 'device-identity'))
  for (const { jid, enc } of parcels) {
    const account = session.world.directory.find(jid)
    const device = parseJid(jid)?.device ?? 0
    if (device === 0) {
      account?.phone?.receive({ from: session.companion, stanza, enc, credential })
        .catch(error => session.world.failed(error))
    } else {
      forward(session, stanza, { account, device, enc })
    }
  }
}

/**
 * To a linked device of another account, or to another one of the sender's own.
 *
 * @param {Session} session @param {Node} stanza
 * @param {{account: Account | undefined, device: number, enc: Node}} share
 */
function forward (session, stanza, { account, device, enc }) {
  const companion = account?.companions.get(device)
  const to = session.world.directory.find(stanza.attrs.recipient ?? stanza.attrs.to)
  if (!companion || !to || companion === session.companion) return
  const own = account === session.account
  const addressing = stanza.attrs.to?.endsWith('@lid') ? 'lid' : 'pn'
  const identity = child(stanza, 'device-identity')
  companion.mailbox.put({
    class: 'message',
    id: stanza.attrs.id ?? '',
    peer: own ? to.pn : session.account.pn,
    node: node('message', {
      id: stanza.attrs.id, type: stanza.attrs.type, t: seconds(), notify: session.account.name,
      from: addressing === 'lid' ? session.companion.lidJid : session.companion.pnJid,
      addressing_mode: addressing,
      recipient: own ? to.jid(addressing) : undefined
    }, [enc, ...(identity ? [identity] : [])])
  })
}
