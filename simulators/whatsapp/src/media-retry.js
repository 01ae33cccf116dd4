import { randomBytes } from 'node:crypto'
import { aesEncryptGCM, hkdf, proto } from 'baileys'
import { child, node, seconds } from './nodes.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./host-phone.js').HostPhone} HostPhone
 */

const { SUCCESS, NOT_FOUND } = proto.MediaRetryNotification.ResultType

/**
 * A companion found media gone and asks its own phone, which has them too, to upload them again.
 *
 * @param {HostPhone} phone @param {import('./phone.js').Receipt} receipt of type `server-error`
 */
export function answerMediaRetry ({ world, account }, { id, stanza, from }) {
  const { jid } = child(stanza, 'rmr')?.attrs ?? {}
  const pn = world.directory.find(jid)?.pn ?? ''
  world.events.add('media.asked-again', account.pn, { id, from: pn })
  const fault = world.faults.strike('no-reupload', [account.pn, pn])
  if (fault && fault.mode !== 'refuse') return
  const before = fault ? undefined : world.media.findByMessage(id, pn)
  const answer = before ? [sealedPath(id, world.media.put(before))] : [node('error', { code: String(NOT_FOUND) })]
  const rmr = node('rmr', { jid, from_me: 'false' })
  const attrs = { id, type: 'mediaretry', from: account.jid('pn'), t: seconds() }
  from.connection?.send(node('notification', attrs, [...answer, rmr]))
}

/** @param {string} id of the message @param {import('./media.js').Upload} upload @returns {Node} */
function sealedPath (id, { mediaKey, directPath }) {
  const notification = { stanzaId: id, directPath, result: SUCCESS }
  const key = hkdf(mediaKey, 32, { info: 'WhatsApp Media Retry Notification' })
  const iv = randomBytes(12)
  const sealed = aesEncryptGCM(proto.MediaRetryNotification.encode(notification).finish(), key, iv, Buffer.from(id))
  return node('encrypt', {}, [node('enc_p', {}, sealed), node('enc_iv', {}, iv)])
}
