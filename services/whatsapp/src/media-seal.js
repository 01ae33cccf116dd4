import { createDecipheriv, createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { Corrupt } from './errors.js'

/**
 * What WhatsApp's clients upload: the file under AES-256-CBC, then the first
 * ten bytes of an HMAC over IV and ciphertext.
 */

const MAC_BYTES = 10
const BLOCK_BYTES = 16
/** How much longer an uploaded file is than the file itself, at most. */
export const SEAL_BYTES = BLOCK_BYTES + MAC_BYTES

/**
 * Opens a sealed file piece by piece, and hands out none of it before the
 * whole is proved.
 *
 * @param {{ cipherKey: Uint8Array, iv: Uint8Array, macKey: Uint8Array }} keys
 * @param {Pick<import('./media-message.js').MediaMessage, 'fileSha256' | 'fileEncSha256'>} hashes
 */
export function makeOpener ({ cipherKey, iv, macKey }, { fileSha256, fileEncSha256 }) {
  const decipher = createDecipheriv('aes-256-cbc', cipherKey, iv)
  const mac = createHmac('sha256', macKey).update(iv)
  const hashSealed = createHash('sha256')
  const hashOpened = createHash('sha256')
  /** @type {Buffer[]} */
  const opened = []
  let tail = Buffer.alloc(0)

  /** @param {Buffer} piece */
  function take (piece) {
    hashSealed.update(piece)
    const joined = Buffer.concat([tail, piece])
    const end = Math.max(0, joined.length - MAC_BYTES)
    tail = joined.subarray(end)
    const ciphertext = joined.subarray(0, end)
    mac.update(ciphertext)
    keep(decipher.update(ciphertext))
  }

  /**
   * @returns {Buffer[]} the file
   * @throws {Corrupt}
   */
  function finish () {
    const isWhole = isSame(mac.digest().subarray(0, MAC_BYTES), tail) && isSame(hashSealed.digest(), fileEncSha256)
    if (!isWhole) throw new Corrupt()
    keep(lastOf(decipher))
    if (!isSame(hashOpened.digest(), fileSha256)) throw new Corrupt()
    return opened
  }

  /** @param {Buffer} piece */
  function keep (piece) {
    hashOpened.update(piece)
    opened.push(piece)
  }

  return { take, finish }
}

/**
 * @param {import('node:crypto').Decipher} decipher
 * @throws {Corrupt}
 */
function lastOf (decipher) {
  try {
    return decipher.final()
  } catch {
    throw new Corrupt()
  }
}

/**
 * @param {Buffer} actual
 * @param {Buffer | undefined} expected undefined: the sender did not say
 */
function isSame (actual, expected) {
  return !expected || (actual.length === expected.length && timingSafeEqual(actual, expected))
}
