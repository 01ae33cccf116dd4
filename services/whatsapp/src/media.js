import { askForUpload, mediaKeys } from './baileys.js'
import { Gone, Oversized, SidecarError, TooSlow } from './errors.js'
import { addressOf } from './media-address.js'
import { Missing } from './media-download.js'
import { SEAL_BYTES, makeOpener } from './media-seal.js'
import { makeSlots } from './slots.js'

/**
 * Voice notes, pictures and documents: fetched when they are asked for, proved
 * whole before the first byte is handed out, and never kept.
 *
 * @typedef {object} MediaSettings
 * @property {string | undefined} origin in place of WhatsApp's media hosts: the simulator's
 * @property {number} mostBytes of a file
 * @property {number} timeLimitMs of a fetch, from first to last; a phone that is asked has half of it
 * @typedef {{ pieces: Buffer[], size: number, mimetype: string }} File
 * @typedef {import('./media-message.js').MediaMessage} MediaMessage
 */

/** So many files at most are in memory on their way in. */
const MOST_AT_ONCE = 4

/**
 * @param {object} deps
 * @param {MediaSettings} deps.settings
 * @param {Pick<import('./media-download.js').Downloader, 'download'>} deps.downloader
 * @param {(tenantId: string) => import('./baileys.js').Socket | undefined} deps.findSocket open, or undefined
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeMedia ({ settings, downloader, findSocket, clock, logger }) {
  const { origin, mostBytes, timeLimitMs } = settings
  const inSlot = makeSlots(MOST_AT_ONCE)

  /**
   * @param {string} tenantId
   * @param {MediaMessage} media
   * @returns {Promise<File>}
   * @throws {SidecarError} Invalid, Oversized, Gone, Corrupt, Unreachable, TooSlow
   */
  async function fetch (tenantId, media) {
    const startedAt = clock.now()
    let outcome = 'failed'
    let size = 0
    try {
      const file = await withinLimit(tenantId, media)
      size = file.size
      outcome = 'fetched'
      return file
    } catch (error) {
      if (error instanceof SidecarError) outcome = error.message
      throw error
    } finally {
      logger.info({ event: 'media', tenantId, messageId: media.key.id, outcome, size, durationMs: clock.now() - startedAt })
    }
  }

  /**
   * @param {string} tenantId
   * @param {MediaMessage} media
   */
  async function withinLimit (tenantId, media) {
    const limit = new AbortController()
    const cancel = clock.after(timeLimitMs, () => limit.abort())
    try {
      if (media.fileLength > mostBytes) throw new Oversized(mostBytes)
      // The wait for a slot counts too.
      return await Promise.race([fetchOrAsk(tenantId, media, limit.signal), endOf(limit.signal)])
    } catch (error) {
      // An aborted download ends as a broken one.
      throw limit.signal.aborted ? new TooSlow() : error
    } finally {
      cancel()
    }
  }

  /**
   * @param {string} tenantId
   * @param {MediaMessage} media
   * @param {AbortSignal} signal
   */
  async function fetchOrAsk (tenantId, media, signal) {
    const address = addressOf(media.content, origin)
    try {
      return await inSlot(() => fetchFrom(address, media, signal))
    } catch (error) {
      if (!(error instanceof Missing)) throw error
    }
    const renewed = addressOf(await uploadedAgain(tenantId, media), origin)
    return inSlot(() => fetchFrom(renewed, media, signal)).catch(error => {
      throw error instanceof Missing ? new Gone(true) : error
    })
  }

  /**
   * @param {string} tenantId
   * @param {MediaMessage} media
   * @returns {Promise<{ directPath: string }>}
   * @throws {Gone}
   */
  async function uploadedAgain (tenantId, media) {
    const socket = findSocket(tenantId)
    if (!socket) throw new Gone(false)
    const patience = new AbortController()
    const cancel = clock.after(timeLimitMs / 2, () => patience.abort())
    const directPath = await askForUpload(socket, media, patience.signal).finally(cancel)
    if (!directPath) throw new Gone(true)
    return { directPath }
  }

  /**
   * @param {URL} address
   * @param {MediaMessage} media
   * @param {AbortSignal} signal
   * @returns {Promise<File>}
   */
  async function fetchFrom (address, media, signal) {
    signal.throwIfAborted()
    const opener = makeOpener(await mediaKeys(media.mediaKey, media.type), media)
    const sealed = downloader.download(address, { mostBytes: mostBytes + SEAL_BYTES, signal })
    for await (const piece of sealed) opener.take(piece)
    const pieces = opener.finish()
    const size = pieces.reduce((total, { length }) => total + length, 0)
    if (size > mostBytes) throw new Oversized(mostBytes)
    return { pieces, size, mimetype: media.mimetype }
  }

  return { fetch }
}

/**
 * @param {AbortSignal} signal
 * @returns {Promise<never>}
 */
function endOf (signal) {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new TooSlow()), { once: true })
  })
}
