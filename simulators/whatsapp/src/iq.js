import { disconnect } from './disconnect.js'
import { parseJid } from './jids.js'
import { bare, typed, verify } from './keys.js'
import { bigEndian, child, childBytes, children, fromBigEndian, node } from './nodes.js'
import { answerUsync } from './usync.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./session.js').Session} Session
 * @typedef {import('./signal.js').Bundle} Bundle
 */

/**
 * The requests that a client makes, by namespace and type; any other gets an empty result.
 *
 * @type {Record<string, (session: Session, stanza: Node) => void>}
 */
const ANSWERS = {
  'encrypt get': answerEncryptGet,
  'encrypt set': answerEncryptSet,
  'passive set': (session, stanza) => {
    session.reply(stanza)
    if (child(stanza, 'active')) session.goOnline()
  },
  'usync get': answerUsync,
  'abt get': (session, stanza) => session.reply(stanza, [node('props', { hash: 'sim', refresh: '86400' }, [])]),
  'w get': (session, stanza) => session.reply(stanza, [node('props', { hash: 'sim' }, [])]),
  'privacy get': (session, stanza) => session.reply(stanza, [node('privacy', {}, privacySettings())]),
  'blocklist get': (session, stanza) => session.reply(stanza, [node('list', {}, [])]),
  'w:sync:app:state set': answerAppState,
  'w:m set': (session, stanza) => session.reply(stanza, [
    node('media_conn', { auth: 'sim', ttl: '300', max_buckets: '12' }, [node('host', { hostname: 'localhost' })])
  ]),
  'md set': removeCompanion
}

/** @param {Session} session @param {Node} stanza */
export function answerIq (session, stanza) {
  if (stanza.attrs.type === 'result' || stanza.attrs.type === 'error') return
  const answer = ANSWERS[`${stanza.attrs.xmlns} ${stanza.attrs.type}`]
  if (answer) answer(session, stanza)
  else session.reply(stanza)
}

/** @param {Session} session @param {Node} stanza */
function answerEncryptGet (session, stanza) {
  const { companion } = session
  if (child(stanza, 'count')) return session.reply(stanza, [node('count', { value: String(companion.preKeys.length) })])
  if (child(stanza, 'digest')) return answerDigest(session, stanza)
  const users = children(child(stanza, 'key')).map(({ attrs }) => userKeys(session, attrs.jid ?? ''))
  session.reply(stanza, [node('list', {}, users)])
}

/** @param {Session} session @param {Node} stanza */
function answerDigest (session, stanza) {
  const { companion } = session
  session.reply(stanza, [node('digest', {}, [
    node('registration', {}, bigEndian(companion.registrationId, 4)),
    node('identity', {}, bare(companion.identityKey)),
    node('list', {}, companion.preKeys.map(({ keyId }) => node('id', {}, bigEndian(keyId, 3))))
  ])])
}

/** @param {Session} session @param {string} jid */
function userKeys (session, jid) {
  const account = session.world.directory.find(jid)
  const device = parseJid(jid)?.device ?? 0
  const owner = device === 0 ? account?.phone?.endpoint : account?.companions.get(device)
  if (!owner) return node('user', { jid }, [node('error', { code: '404', text: 'item-not-found' })])
  return node('user', { jid }, bundleNodes(session, owner.takeBundle()))
}

/** @param {Session} session @param {Bundle} bundle */
function bundleNodes ({ world }, { registrationId, identityKey, signedPreKey, preKey }) {
  if (!preKey) world.counts.lastResortBundles++
  return [
    node('registration', {}, bigEndian(registrationId, 4)),
    node('type', {}, Buffer.from([5])),
    node('identity', {}, bare(identityKey)),
    node('skey', {}, [
      node('id', {}, bigEndian(signedPreKey.keyId, 3)),
      node('value', {}, bare(signedPreKey.publicKey)),
      node('signature', {}, signedPreKey.signature)
    ]),
    ...(preKey
      ? [node('key', {}, [node('id', {}, bigEndian(preKey.keyId, 3)), node('value', {}, bare(preKey.publicKey))])]
      : [])
  ]
}

/** @param {Session} session @param {Node} stanza */
function answerEncryptSet (session, stanza) {
  const { companion } = session
  const rotated = child(child(stanza, 'rotate'), 'skey')
  const skey = readSignedPreKey(rotated ?? child(stanza, 'skey'))
  if (!verify(companion.identityKey, typed(skey.publicKey), skey.signature)) {
    return session.replyError(stanza, 406, 'not-acceptable')
  }
  if (!rotated) {
    if (!childBytes(stanza, 'identity').equals(companion.identityKey)) return session.replyError(stanza, 406, 'not-acceptable')
    companion.preKeys.push(...children(child(stanza, 'list')).map(readPreKey))
  }
  companion.signedPreKey = skey
  session.reply(stanza)
}

/** @param {Node | undefined} skey */
function readSignedPreKey (skey) {
  return {
    keyId: fromBigEndian(childBytes(skey, 'id')),
    publicKey: childBytes(skey, 'value'),
    signature: childBytes(skey, 'signature')
  }
}

/** @param {Node} key */
function readPreKey (key) {
  return { keyId: fromBigEndian(childBytes(key, 'id')), publicKey: childBytes(key, 'value') }
}

function privacySettings () {
  return ['readreceipts', 'last', 'profile', 'status', 'groupadd', 'online']
    .map(name => node('category', { name, value: 'all' }))
}

/** Nothing was ever set on the phone, so every collection is empty. @param {Session} session @param {Node} stanza */
function answerAppState (session, stanza) {
  const collections = children(child(stanza, 'sync'))
    .map(({ attrs }) => node('collection', { name: attrs.name, version: attrs.version ?? '0' }, []))
  session.reply(stanza, [node('sync', {}, collections)])
}

/** The user logs out on the companion. @param {Session} session @param {Node} stanza */
function removeCompanion (session, stanza) {
  session.reply(stanza)
  if (!child(stanza, 'remove-companion-device')) return
  session.account.companions.delete(session.companion.deviceId)
  session.world.events.add('host.unlinked', session.account.pn, { deviceId: session.companion.deviceId, by: 'client' })
  disconnect(session.connection, 401)
}
