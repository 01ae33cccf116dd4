/**
 * What can go wrong, as seen by the one who calls.
 *
 *     SidecarError        status
 *     ├── Invalid          422   the message names the field
 *     ├── Unauthorized     401
 *     ├── NotFound         404
 *     ├── Conflict         409   other content under a used id, a blocked number, or a guest at whose messages we are
 *     ├── TooLarge         413
 *     ├── Malformed        400   not JSON
 *     ├── Oversized        413   media over the limit; final
 *     ├── Gone             410   media that nobody has any more; `asked`: the phone was asked to upload them again
 *     ├── Refused          502   WhatsApp said no; final, never retried
 *     ├── Corrupt          502   media that are not what the sender sealed
 *     ├── Unreachable      502   the media host failed or broke off; try again
 *     ├── NotHere          503   another sidecar holds the number, or none yet
 *     ├── NotConnected     503   nothing was decided; try again with the same id
 *     ├── TooFast          503   beyond the number's pace; try again with the same id
 *     ├── NoAck            504   no word from WhatsApp in time; try again with the same id
 *     └── TooSlow          504   media that did not come in time; try again
 *
 *     StartError          the process cannot start; the message says how to mend it
 */
export class SidecarError extends Error {
  /**
   * @param {number} status HTTP status of the answer
   * @param {string} message
   * @param {Record<string, unknown>} [details] further fields of the answer
   */
  constructor (status, message, details = {}) {
    super(message)
    this.status = status
    this.details = details
  }
}

export class Invalid extends SidecarError {
  /** @param {string} message */
  constructor (message) {
    super(422, message)
  }
}

export class Malformed extends SidecarError {
  /** @param {string} message */
  constructor (message) {
    super(400, message)
  }
}

export class Unauthorized extends SidecarError {
  constructor () {
    super(401, 'the X-Internal-Secret header is missing or wrong')
  }
}

export class NotFound extends SidecarError {
  /** @param {string} message */
  constructor (message) {
    super(404, message)
  }
}

export class Conflict extends SidecarError {
  /** @param {string} message */
  constructor (message) {
    super(409, message)
  }
}

export class TooLarge extends SidecarError {
  /** @param {number} limit in bytes */
  constructor (limit) {
    super(413, `the body is over ${limit} bytes`)
  }
}

export class Refused extends SidecarError {
  /** @param {number} code the `error` of WhatsApp's ack, 463 for a reach-out time-lock */
  constructor (code) {
    super(502, 'refused', { code })
    this.code = code
  }
}

export class NotHere extends SidecarError {
  constructor () {
    super(503, 'not_here')
  }
}

export class NotConnected extends SidecarError {
  constructor () {
    super(503, 'not connected')
  }
}

export class TooFast extends SidecarError {
  /** @param {number} retryAfterS */
  constructor (retryAfterS) {
    super(503, 'too many sends at once for this number', { retryAfterS })
    this.retryAfterS = retryAfterS
  }
}

export class NoAck extends SidecarError {
  /** @param {string} message */
  constructor (message) {
    super(504, message)
  }
}

export class Oversized extends SidecarError {
  /** @param {number} limit in bytes */
  constructor (limit) {
    super(413, 'too large', { limit })
  }
}

export class Gone extends SidecarError {
  /** @param {boolean} asked whether the phone was asked to upload it again */
  constructor (asked) {
    super(410, 'gone', { asked })
  }
}

export class Corrupt extends SidecarError {
  constructor () {
    super(502, 'corrupt')
  }
}

export class Unreachable extends SidecarError {
  constructor () {
    super(502, 'unreachable')
  }
}

export class TooSlow extends SidecarError {
  constructor () {
    super(504, 'too slow')
  }
}

export class StartError extends Error {}
