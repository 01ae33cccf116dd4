/**
 * Typing indicators, and when the number is shown as available for them.
 *
 * While a linked device is available, WhatsApp does not notify the host's
 * phone; so we are available only while a turn runs, and say so when it ends
 * (docs/decisions/0002-presence-and-available.md).
 *
 * @typedef {'composing' | 'paused' | 'recording'} Typing
 * @typedef {{ typing: Map<string, () => void>, available: boolean, cancelFarewell: () => void }} Presence
 *   typing: chat → cancels its expiry
 */

/** A turn that has not said anything for so long is over: its owner died. */
const TYPING_EXPIRES_MS = 25_000
/** Turns that follow each other closely share one announcement. */
const LINGER_MS = 1500

/**
 * @param {object} deps
 * @param {(tenantId: string) => Pick<import('./baileys.js').Socket, 'sendPresenceUpdate'> | undefined} deps.findSocket
 * @param {'turn' | 'never'} deps.announce
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makePresence ({ findSocket, announce, clock, logger }) {
  /** @type {Map<string, Presence>} */
  const presences = new Map()

  /**
   * Show the guest what we are doing. Best effort: nobody waits for it.
   *
   * @param {string} tenantId
   * @param {string} to
   * @param {Typing} state
   */
  function show (tenantId, to, state) {
    if (state !== 'paused') begin(tenantId, to)
    tell(tenantId, state, to)
    if (state === 'paused') end(tenantId, to)
  }

  /**
   * @param {string} tenantId
   * @param {string} to
   */
  function begin (tenantId, to) {
    const presence = presenceOf(tenantId)
    presence.cancelFarewell()
    presence.typing.get(to)?.()
    presence.typing.set(to, clock.after(TYPING_EXPIRES_MS, () => end(tenantId, to)))
    if (announce === 'never' || presence.available) return
    presence.available = true
    tell(tenantId, 'available')
  }

  /**
   * The turn in this chat is over; the reply itself clears the indicator.
   *
   * @param {string} tenantId
   * @param {string} to
   */
  function end (tenantId, to) {
    const presence = presenceOf(tenantId)
    presence.typing.get(to)?.()
    presence.typing.delete(to)
    if (!presence.available || presence.typing.size > 0) return
    presence.cancelFarewell()
    presence.cancelFarewell = clock.after(LINGER_MS, () => {
      presence.available = false
      tell(tenantId, 'unavailable')
    })
  }

  /** @param {string} tenantId whose connection is new: nothing has been announced on it */
  function reset (tenantId) {
    const presence = presences.get(tenantId)
    if (!presence) return
    presence.cancelFarewell()
    for (const cancelExpiry of presence.typing.values()) cancelExpiry()
    presences.delete(tenantId)
  }

  /** @param {string} tenantId */
  function presenceOf (tenantId) {
    const presence = presences.get(tenantId) ?? { typing: new Map(), available: false, cancelFarewell: () => {} }
    presences.set(tenantId, presence)
    return presence
  }

  /**
   * @param {string} tenantId
   * @param {Typing | 'available' | 'unavailable'} state
   * @param {string} [to]
   */
  function tell (tenantId, state, to) {
    findSocket(tenantId)?.sendPresenceUpdate(state, to)
      .catch(error => logger.debug({ event: 'presence_failed', tenantId, state, error: error.message }))
  }

  return { show, end, reset }
}
