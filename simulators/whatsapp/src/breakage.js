import { createRequire } from 'node:module'

// This part of libsignal comes without types.
const { PreKeyWhisperMessage } = createRequire(import.meta.url)('libsignal/src/protobufs.js')

/**
 * Spoil a ciphertext so that its authentication fails, as a bad line would.
 *
 * @param {string} type pkmsg or msg
 * @param {Buffer} ciphertext
 * @returns {Buffer}
 */
export function breakCiphertext (type, ciphertext) {
  if (type !== 'pkmsg') return flipLastByte(ciphertext)
  // The code sits inside; the last bytes outside are key ids that not every client looks at.
  const outer = PreKeyWhisperMessage.decode(ciphertext.subarray(1))
  outer.message = flipLastByte(Buffer.from(outer.message))
  return Buffer.concat([ciphertext.subarray(0, 1), PreKeyWhisperMessage.encode(outer).finish()])
}

/** @param {Buffer} bytes */
function flipLastByte (bytes) {
  const spoiled = Buffer.from(bytes)
  spoiled[spoiled.length - 1] = (spoiled.at(-1) ?? 0) ^ 0xff
  return spoiled
}
