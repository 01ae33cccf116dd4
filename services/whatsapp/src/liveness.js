/**
 * Is the line alive? Two proofs, for neither is enough alone.
 *
 * A question that WhatsApp must answer proves the socket. It does not prove
 * that guests' messages come through: a server may answer and hand over
 * nothing. Nothing that a client can ask for goes the way of a message, so that
 * part is judged by the rhythm of the week: where the quiet is far longer than
 * usual at these hours, the connection is made anew, for a login is what makes
 * WhatsApp hand over all that it kept back.
 *
 * @typedef {'alive' | 'deaf' | 'too quiet'} Verdict
 * @typedef {ReturnType<typeof makeLiveness>} Liveness
 */

/** So many lively stretches of ten minutes have gone by in silence: by chance once in about 400 times (e^-6). */
const TOO_QUIET = 6
/** What was written so long before a new login should have come by the old connection. */
const SHOULD_HAVE_COME_MS = 60_000

/**
 * @param {object} deps
 * @param {ReturnType<typeof import('./rhythm.js').makeRhythm>} deps.rhythm
 * @param {Pick<import('./clock.js').Clock, 'now'>} deps.clock
 */
export function makeLiveness ({ rhythm, clock }) {
  /** The quiet is counted from here. */
  let quietSince = clock.now()
  /** @type {number | null} */
  let lastInboundAt = null
  /** @type {boolean | null} */
  let probeOk = null
  /** The quiet over which the connection was last made anew. @type {{ from: number, until: number } | undefined} */
  let doubted

  function opened () {
    probeOk = true
    quietSince = clock.now()
    rhythm.begin()
  }

  function closed () {
    probeOk = null
    rhythm.end()
  }

  /**
   * Something came that nobody had asked for.
   *
   * @param {import('./baileys.js').Stanza} stanza
   * @returns {boolean} true: it should have come earlier, the line had been deaf
   */
  function heard ({ tag, attrs }) {
    quietSince = clock.now()
    if (!attrs.offline) rhythm.heard()
    if (tag !== 'message') return false
    lastInboundAt = clock.now()
    const writtenAt = Number(attrs.t) * 1000
    const wasKept = doubted !== undefined && attrs.offline !== undefined
      // WhatsApp tells whole seconds.
      && writtenAt > doubted.from - 1000 && writtenAt < doubted.until - SHOULD_HAVE_COME_MS
    if (wasKept) doubted = undefined
    return wasKept
  }

  /**
   * @param {boolean} answered whether the probe was
   * @returns {Verdict}
   */
  function judge (answered) {
    probeOk = answered
    rhythm.tick()
    if (!answered) return 'deaf'
    const now = clock.now()
    if (!rhythm.isLearned() || rhythm.expected(quietSince, now) < TOO_QUIET) return 'alive'
    doubted = { from: quietSince, until: now }
    return 'too quiet'
  }

  return { opened, closed, heard, judge, health: () => ({ lastInboundAt, probeOk }) }
}
