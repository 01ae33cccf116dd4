import { lidJid, pnJid, parseJid } from './jids.js'
import { bytesOf, child, children, node } from './nodes.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./directory.js').Account} Account
 * @typedef {{jid: string, account: Account | undefined}} Subject
 */

/**
 * Who is on WhatsApp, with which devices and which LID. A LID is told for a phone number, never the
 * other way round.
 *
 * @type {Record<string, (subject: Subject) => Node | undefined>}
 */
const PROTOCOLS = {
  devices: ({ account }) => account && node('devices', {}, [node('device-list', {}, deviceNodes(account))]),
  lid: ({ account, jid }) => account && parseJid(jid)?.server !== 'lid'
    ? node('lid', { val: lidJid(account.lid) })
    : undefined,
  contact: ({ account }) => node('contact', { type: account ? 'in' : 'out' })
}

/** @param {Session} session @param {Node} stanza */
export function answerUsync (session, stanza) {
  const usync = child(stanza, 'usync')
  const asked = children(child(usync, 'query')).map(({ tag }) => tag)
  const users = children(child(usync, 'list')).map(user => {
    const subject = subjectOf(session, user)
    const answers = asked.map(protocol => PROTOCOLS[protocol]?.(subject)).filter(answer => answer !== undefined)
    return node('user', { jid: subject.jid }, answers)
  })
  const { sid, mode, context } = usync?.attrs ?? {}
  session.reply(stanza, [node('usync', { sid, mode, context, index: '0', last: 'true' }, [node('list', {}, users)])])
}

/** @param {Session} session @param {Node} user named by address, or by a number in `<contact>` @returns {Subject} */
function subjectOf ({ world }, user) {
  const phone = bytesOf(child(user, 'contact'))?.toString().replace(/\D/g, '')
  const jid = user.attrs.jid ?? pnJid(phone ?? '')
  return { jid, account: world.directory.find(jid) }
}

/** @param {Account} account */
function deviceNodes (account) {
  const companions = [...account.companions.keys()]
    .map(id => node('device', { 'id': String(id), 'key-index': String(id) }))
  return [node('device', { id: '0' }), ...companions]
}
