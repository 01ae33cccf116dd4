/** Mu-law, the telephone's code of a sample in one byte. Source: ITU-T G.711. */

const BIAS = 132
const LOUDEST = 32635
export const SILENCE = 0xff

/** The sample, -1 to 1, of each of the 256 codes. */
const DECODED = Float32Array.from({ length: 256 }, (_, code) => decodedTo16Bits(code) / 32768)

/**
 * @param {number} code
 * @returns {number} of 16 bits
 */
function decodedTo16Bits (code) {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + BIAS) << ((bits >> 4) & 7)) - BIAS
  return bits & 0x80 ? -magnitude : magnitude
}

/**
 * @param {Uint8Array} codes
 * @returns {Float32Array} samples, -1 to 1
 */
export function decode (codes) {
  return Float32Array.from(codes, code => DECODED[code])
}

/**
 * @param {number} sample -1 to 1; what is louder is cut off
 * @returns {number} its code
 */
export function encode (sample) {
  const level = Math.round(sample * 32768)
  const magnitude = Math.min(Math.abs(level), LOUDEST) + BIAS
  // The place of the highest bit, of 7 to 14.
  const exponent = 24 - Math.clz32(magnitude)
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~((level < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff
}
