import { disconnect } from './disconnect.js'
import { SimulatorError } from './errors.js'
import { pnJid, SERVER } from './jids.js'
import { typed, verify } from './keys.js'
import { child, childBytes, fromBigEndian, node } from './nodes.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./world.js').World} World
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {{pn: string, wrapped: Buffer, ref: Buffer}} CodeRequest wrapped: the client's
 *   ephemeral key under the pairing code
 * @typedef {{bundle: Buffer, identityKey: Buffer}} CodeAnswer
 */

const REFS = 6
const PATIENCE_MS = 10_000

/** A client that has logged in without an account: it shows QR codes, or asks for a pairing code. */
export class Registration {
  /** @param {World} world @param {Connection} connection @param {import('./connection.js').Finish} finish */
  constructor (world, connection, { noiseKey, payload }) {
    this.world = world
    this.connection = connection
    this.noiseKey = noiseKey
    this.keys = readPairingData(payload)
    this.refs = Array.from({ length: REFS }, () => `2@${world.random.next(24).toString('base64url')}`)
    /** @type {CodeRequest | undefined} */
    this.codeRequest = undefined
    /** @type {((answer: CodeAnswer) => void) | undefined} */
    this.onCodeAnswer = undefined
    /** @type {((credential: Buffer) => void) | undefined} */
    this.onSigned = undefined
  }

  offerCodes () {
    const refs = this.refs.map(ref => node('ref', {}, Buffer.from(ref)))
    this.connection.send(node('iq', { type: 'set', xmlns: 'md', from: SERVER, id: this.newId() },
      [node('pair-device', {}, refs)]))
  }

  /** @param {Node} stanza */
  receive (stanza) {
    if (stanza.tag !== 'iq') return
    const signed = child(stanza, 'pair-device-sign')
    if (signed) return this.onSigned?.(childBytes(signed, 'device-identity'))
    if (stanza.attrs.type === 'result') return
    const code = child(stanza, 'link_code_companion_reg')
    if (code?.attrs.stage === 'companion_hello') return this.takeCodeRequest(stanza, code)
    if (code?.attrs.stage === 'companion_finish') this.takeCodeAnswer(code)
    this.connection.send(node('iq', { type: 'result', from: SERVER, id: stanza.attrs.id }))
  }

  /** @param {Node} stanza @param {Node} hello */
  takeCodeRequest (stanza, hello) {
    const key = childBytes(hello, 'companion_server_auth_key_pub')
    if (!key.equals(this.noiseKey)) throw new Error('a pairing code asked for with a key that is not the connection\'s')
    const ref = this.world.random.next(16)
    this.codeRequest = {
      pn: (hello.attrs.jid ?? '').split('@')[0] ?? '',
      wrapped: childBytes(hello, 'link_code_pairing_wrapped_companion_ephemeral_pub'),
      ref
    }
    this.connection.send(node('iq', { type: 'result', from: SERVER, id: stanza.attrs.id }, [
      node('link_code_companion_reg', { stage: 'companion_hello' }, [node('link_code_pairing_ref', {}, ref)])
    ]))
    this.world.events.add('host.code-requested', this.codeRequest.pn)
  }

  /** @param {Node} finish */
  takeCodeAnswer (finish) {
    if (!this.codeRequest || !childBytes(finish, 'link_code_pairing_ref').equals(this.codeRequest.ref)) return
    this.onCodeAnswer?.({
      bundle: childBytes(finish, 'link_code_pairing_wrapped_key_bundle'),
      identityKey: childBytes(finish, 'companion_identity_public')
    })
  }

  /**
   * The phone's half of the exchange by code, and the client's answer to it.
   *
   * @param {{identityKey: Buffer, wrapped: Buffer}} phone
   * @returns {Promise<CodeAnswer>}
   */
  exchangeCode ({ identityKey, wrapped }) {
    const { pn, ref } = /** @type {CodeRequest} */ (this.codeRequest)
    const answer = this.wait('the client did not finish the exchange by code', resolve => {
      this.onCodeAnswer = resolve
    })
    this.connection.send(node('notification', { from: SERVER, type: 'link_code_companion_reg', id: this.newId() }, [
      node('link_code_companion_reg', { jid: pnJid(pn), stage: 'primary_hello' }, [
        node('link_code_pairing_ref', {}, ref),
        node('primary_identity_pub', {}, identityKey),
        node('link_code_pairing_wrapped_primary_ephemeral_pub', {}, wrapped)
      ])
    ]))
    return answer
  }

  /**
   * @param {{sealed: Buffer, jid: string, lid: string, name: string}} success
   * @returns {Promise<Buffer>} the credential, signed by the client
   */
  succeed ({ sealed, jid, lid, name }) {
    const signed = this.wait('the client did not accept the pairing', resolve => {
      this.onSigned = resolve
    })
    this.connection.send(node('iq', { type: 'set', from: SERVER, id: this.newId() }, [
      node('pair-success', {}, [
        node('device-identity', {}, sealed), node('biz', { name }), node('device', { jid, lid }),
        node('platform', { name: 'smba' })
      ])
    ]))
    return /** @type {Promise<Buffer>} */ (signed)
  }

  /** A paired client must come back and log in with its new account. */
  restart () {
    this.world.registrations.delete(this)
    disconnect(this.connection, 515)
  }

  /**
   * @template T
   * @param {string} otherwise
   * @param {(resolve: (value: T) => void) => void} arm
   * @returns {Promise<T>}
   */
  wait (otherwise, arm) {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new SimulatorError(409, otherwise))
      const timer = setTimeout(fail, PATIENCE_MS)
      this.connection.closing.push(() => {
        clearTimeout(timer)
        fail()
      })
      arm(value => {
        clearTimeout(timer)
        resolve(value)
      })
    })
  }

  newId () {
    return this.world.random.next(4).readUInt32BE().toString()
  }
}

/**
 * @param {import('baileys').proto.ClientPayload} payload
 * @returns {Pick<import('./companion.js').Enrolment, 'identityKey' | 'registrationId' | 'signedPreKey'>}
 * @throws if a key is missing or the prekey's signature is wrong
 */
function readPairingData ({ devicePairingData }) {
  const { eIdent, eRegid, eSkeyId, eSkeyVal, eSkeySig } = devicePairingData ?? {}
  if (eIdent?.length !== 32 || eRegid?.length !== 4 || !eSkeyId || eSkeyVal?.length !== 32 || !eSkeySig) {
    throw new Error('registration with incomplete keys')
  }
  if (!verify(eIdent, typed(eSkeyVal), eSkeySig)) throw new Error('registration with a prekey that its identity did not sign')
  return {
    identityKey: Buffer.from(eIdent),
    registrationId: fromBigEndian(eRegid),
    signedPreKey: { keyId: fromBigEndian(eSkeyId), publicKey: Buffer.from(eSkeyVal), signature: Buffer.from(eSkeySig) }
  }
}
