import { createHmac } from 'node:crypto'

/**
 * Bytes that follow from a seed, so that a run can be told again.
 *
 * Labelled draws do not depend on the order in which they are made: the identity of a phone is the
 * same whether its guest was added first or last. Only ratchet keys, which libsignal makes by
 * itself, differ from run to run.
 */
export class Random {
  /** @param {string | number} seed */
  constructor (seed) {
    this.seed = String(seed)
    this.drawn = 0
  }

  /**
   * @param {number} length
   * @param {string} label
   * @returns {Buffer} always the same for one seed and label
   */
  bytes (length, label) {
    const blocks = []
    for (let block = 0; block * 32 < length; block++) {
      blocks.push(createHmac('sha256', this.seed).update(`${label}#${block}`).digest())
    }
    return Buffer.concat(blocks).subarray(0, length)
  }

  /** @param {number} length @returns {Buffer} the next bytes of the run */
  next (length) {
    return this.bytes(length, `draw ${this.drawn++}`)
  }

  /** @returns {number} in [0, 1) */
  fraction () {
    return this.next(4).readUInt32BE() / 2 ** 32
  }

  /** @param {number} length @param {string} label @returns {string} decimal digits, the first not 0 */
  digits (length, label) {
    const digits = [...this.bytes(length, label)].map(byte => byte % 10)
    digits[0] = 1 + (digits[0] ?? 0) % 9
    return digits.join('')
  }
}
