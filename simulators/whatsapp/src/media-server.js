/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {import('node:http').ServerResponse} Response
 * @typedef {import('./media.js').Upload} Upload
 */

/** Where a `redirect` leads to; nobody should ever ask for it. */
const ELSEWHERE = '/elsewhere'

/** @type {Record<string, (response: Response, upload: Upload) => void>} what a `media` fault does, by its mode */
const MISHAPS = {
  gone: (response, upload) => refuse(response, upload, 410),
  missing: (response, upload) => refuse(response, upload, 404),
  expired: (response, upload) => refuse(response, upload, 403),
  error: response => response.writeHead(503).end(),
  redirect: response => response.writeHead(302, { location: ELSEWHERE }).end(),
  corrupt: (response, { sealed }) => write(response, spoilt(sealed)),
  cut: (response, { sealed }) => {
    response.writeHead(200, { 'content-length': sealed.length })
    response.write(sealed.subarray(0, sealed.length >> 1), () => response.destroy())
  }
}

/** WhatsApp's media host: sealed files under paths that nobody can guess. */
export class MediaServer {
  /** @param {import('./world.js').World} world */
  constructor (world) {
    this.world = world
  }

  /** @param {Request} request @param {Response} response */
  answer (request, response) {
    const upload = request.method === 'GET' ? this.world.media.uploads.get(request.url ?? '') : undefined
    response.on('close', () => this.note(upload, response.statusCode))
    if (!upload) return void response.writeHead(404).end()
    const delay = this.world.faults.strike('media-delay', [upload.pn])
    if (delay) this.world.later(delay.ms ?? 0, () => this.hand(response, upload))
    else this.hand(response, upload)
  }

  /** @param {Response} response @param {Upload} upload */
  hand (response, upload) {
    if (upload.refusal) return refuse(response, upload, upload.refusal)
    const fault = this.world.faults.strike('media', [upload.pn])
    if (fault) MISHAPS[fault.mode ?? 'gone']?.(response, upload)
    else write(response, upload.sealed)
  }

  /** @param {Upload | undefined} upload @param {number} status */
  note (upload, status) {
    this.world.events.add('media.fetched', upload?.pn ?? '', { id: upload?.messageId ?? '', status })
  }
}

/** From now on, as on the real host. @param {Response} response @param {Upload} upload @param {number} status */
function refuse (response, upload, status) {
  upload.refusal = status
  response.writeHead(status).end()
}

/** @param {Response} response @param {Buffer} sealed */
function write (response, sealed) {
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': sealed.length }).end(sealed)
}

/** @param {Buffer} sealed @returns {Buffer} the same with one bit turned */
function spoilt (sealed) {
  const copy = Buffer.from(sealed)
  const middle = copy.length >> 1
  copy[middle] = (copy[middle] ?? 0) ^ 1
  return copy
}
