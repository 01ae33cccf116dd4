import { readFile, unlink } from 'node:fs/promises'
import { encryptedStream } from 'baileys'

/**
 * @typedef {import('baileys').MediaType} MediaType
 * @typedef {{pn: string, messageId: string, mediaKey: Uint8Array, sealed: Buffer, directPath: string,
 *   refusal: number}} Upload refusal: the HTTP status that it is refused with from now on; 0: none
 * @typedef {{mediaKey: Uint8Array, mediaKeyTimestamp: number, fileSha256: Uint8Array, fileEncSha256: Uint8Array,
 *   fileLength: number, directPath: string, url: string}} Reference what a message says of it
 */

/** Named in messages as on the real network, whatever address the simulator's own server has. */
const HOST = 'https://mmg.whatsapp.net'
/** Links are good for two weeks. */
const LIFETIME_S = 14 * 24 * 60 * 60

/** What phones have uploaded, sealed by Baileys' own hand. */
export class MediaShelf {
  /** @param {import('./random.js').Random} random */
  constructor (random) {
    this.random = random
    /** @type {Map<string, Upload>} by path with its query, which holds the token */
    this.uploads = new Map()
  }

  /**
   * @param {{pn: string, messageId: string, type: MediaType, bytes: Buffer}} file
   * @returns {Promise<Reference>}
   */
  async upload ({ pn, messageId, type, bytes }) {
    const { sealed, mediaKey, fileSha256, fileEncSha256, fileLength } = await seal(bytes, type)
    const { directPath } = this.put({ pn, messageId, mediaKey, sealed })
    const mediaKeyTimestamp = Math.floor(Date.now() / 1000)
    return { mediaKey, mediaKeyTimestamp, fileSha256, fileEncSha256, fileLength, directPath, url: HOST + directPath }
  }

  /** @param {Pick<Upload, 'pn' | 'messageId' | 'mediaKey' | 'sealed'>} upload @returns {Upload} under a new path */
  put (upload) {
    const [name, token] = [this.random.next(18), this.random.next(24)].map(bytes => bytes.toString('base64url'))
    const expiry = (Math.floor(Date.now() / 1000) + LIFETIME_S).toString(16)
    const directPath = `/v/t62.7117-24/${name}_n.enc?ccb=11-4&oh=${token}&oe=${expiry}&_nc_sid=5e03e0`
    const shelved = { ...upload, directPath, refusal: 0 }
    this.uploads.set(directPath, shelved)
    return shelved
  }

  /** @param {string} messageId @param {string} pn of the sender @returns {Upload | undefined} the latest */
  findByMessage (messageId, pn) {
    return [...this.uploads.values()].findLast(upload => upload.messageId === messageId && upload.pn === pn)
  }
}

/** @param {Buffer} bytes @param {MediaType} type */
async function seal (bytes, type) {
  const { encFilePath, ...facts } = await encryptedStream(bytes, type)
  try {
    return { ...facts, sealed: await readFile(encFilePath) }
  } finally {
    await unlink(encFilePath)
  }
}
