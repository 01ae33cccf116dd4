import { proto } from 'baileys'
import { bare, keyPairFrom, sign } from './keys.js'

/** @typedef {import('./keys.js').KeyPair} KeyPair */

const Details = proto.CertChain.NoiseCertificate.Details

/**
 * Make the server's key and the chain that vouches for it: root signs intermediate, intermediate
 * signs leaf, the leaf names the server's key. Baileys demands serial 0 as the root's.
 *
 * @param {import('./random.js').Random} random
 * @returns {{staticKey: KeyPair, rootKey: Buffer, chain: Buffer}} root key of 32 bytes; chain as sent
 */
export function makeCertificate (random) {
  const root = keyPairFrom(random.bytes(32, 'certificate root'))
  const intermediate = keyPairFrom(random.bytes(32, 'certificate intermediate'))
  const staticKey = keyPairFrom(random.bytes(32, 'certificate leaf'))
  const chain = proto.CertChain.encode({
    intermediate: certify(root, { serial: 1, issuerSerial: 0, key: bare(intermediate.pubKey) }),
    leaf: certify(intermediate, { serial: 2, issuerSerial: 1, key: bare(staticKey.pubKey) })
  }).finish()
  return { staticKey, rootKey: bare(root.pubKey), chain: Buffer.from(chain) }
}

/**
 * @param {KeyPair} issuer
 * @param {{serial: number, issuerSerial: number, key: Buffer}} subject
 */
function certify (issuer, subject) {
  const details = Details.encode({ ...subject, notBefore: 0, notAfter: 4102444800 }).finish()
  return { details, signature: sign(issuer.privKey, details) }
}
