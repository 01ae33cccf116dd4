import { isDirect, isPerson, normalizeJid } from './baileys.js'

/**
 * Guests who are typing, told to the server while it may still be waiting for
 * more of their words.
 *
 * WhatsApp tells only those who have subscribed to a person, for as long as the
 * connection lasts. We subscribe to whoever has just written, and look away
 * when an answer has had its time. Best effort: nothing waits for any of it.
 *
 * @typedef {import('./baileys.js').Stanza} Stanza
 * @typedef {{ from: string, state: 'composing' | 'paused', at: number }} Presence at: epoch ms
 */

const WATCHED_FOR_MS = 60_000
/** Phones repeat `composing` every few seconds. */
const REPEATED_AFTER_MS = 3000
const MOST_SUBSCRIBED = 5000

/**
 * @param {object} deps
 * @param {(tenantId: string) => Pick<import('./baileys.js').Socket, 'presenceSubscribe'> | undefined} deps.findSocket
 * @param {(tenantId: string, presence: Presence) => void} deps.tell
 * @param {Pick<import('./clock.js').Clock, 'now'>} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 */
export function makeGuestPresence ({ findSocket, tell, clock, logger }) {
  /** @type {Map<string, Map<string, { until: number, told?: Presence }>>} tenant → guest → how long to watch */
  const watched = new Map()

  /**
   * A guest has written.
   *
   * @param {string} tenantId
   * @param {Stanza} stanza
   */
  function onMessage (tenantId, { attrs }) {
    const { from = '', recipient, offline } = attrs
    if (offline || recipient || !isDirect(attrs) || !isPerson(from)) return
    const guests = guestsOf(tenantId)
    const guest = normalizeJid(from)
    const known = guests.get(guest)
    guests.delete(guest)
    guests.set(guest, { ...known, until: clock.now() + WATCHED_FOR_MS })
    if (guests.size > MOST_SUBSCRIBED) guests.delete(/** @type {string} */ (guests.keys().next().value))
    if (!known) subscribe(tenantId, guest)
  }

  /**
   * @param {string} tenantId
   * @param {string} guest
   */
  function subscribe (tenantId, guest) {
    findSocket(tenantId)?.presenceSubscribe(guest)
      .catch(error => logger.debug({ event: 'subscription_failed', tenantId, error: error.message }))
  }

  /**
   * @param {string} tenantId
   * @param {Stanza} stanza
   */
  function onChatState (tenantId, { attrs, content }) {
    const tag = Array.isArray(content) ? content[0]?.tag : undefined
    if (tag !== 'composing' && tag !== 'paused') return
    const from = normalizeJid(attrs.from ?? '')
    const guest = watched.get(tenantId)?.get(from)
    const at = clock.now()
    if (!guest || guest.until < at) return
    if (guest.told?.state === tag && at - guest.told.at < REPEATED_AFTER_MS) return
    guest.told = { from, state: tag, at }
    tell(tenantId, guest.told)
  }

  /** @param {string} tenantId */
  function guestsOf (tenantId) {
    const guests = watched.get(tenantId) ?? new Map()
    watched.set(tenantId, guests)
    return guests
  }

  /**
   * @param {string} tenantId
   * @param {(jid: string) => boolean} isTheirs
   */
  function forget (tenantId, isTheirs) {
    const guests = watched.get(tenantId)
    for (const guest of [...guests?.keys() ?? []].filter(isTheirs)) guests?.delete(guest)
  }

  return {
    onMessage,
    onChatState,
    forget,
    /** @param {string} tenantId whose connection has ended, and with it all subscriptions */
    reset: tenantId => void watched.delete(tenantId)
  }
}
