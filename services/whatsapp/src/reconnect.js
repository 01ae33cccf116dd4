import { backOffMs } from './clock.js'

/**
 * What to do when a connection has ended. Pure.
 *
 * @typedef {object} Closed
 * @property {number | undefined} code WhatsApp's or Baileys' code; undefined when the socket just broke
 * @property {boolean} linked
 * @property {boolean} wanted unlinked: somebody asked for the QR or code within the last minutes
 * @property {boolean} hadCode unlinked: this connection had a QR or code to show
 * @property {number} failures connections in a row that did not last
 * @property {number} conflicts times in a row that another client took the link over
 * @property {() => number} random
 * @typedef {object} Step
 * @property {number | null} delayMs until the next attempt; null: none by ourselves
 * @property {boolean} [wipe] the link is gone: forget the identity
 * @property {'connecting' | 'disconnected' | 'logged_out' | 'blocked'} state meanwhile
 * @property {string} [reason]
 */

const BACK_OFF = { firstMs: 1000, capMs: 60_000 }
const SHORTEST_MS = 200
const CONFLICT_MS = 60_000

const RESTART_REQUIRED = 515
const QR_EXPIRED = 408
const CONFLICT = 440

/** Ends that trying again does not mend. 500 is not among them, whatever its name says. */
const FINAL = new Map([
  [403, 'WhatsApp refuses this number (403): look at WhatsApp on its phone'],
  [405, 'WhatsApp finds this client too old (405): set WHATSAPP_VERSION to the current version, or update'],
  [411, 'WhatsApp refuses linked devices for this number (411): update WhatsApp on its phone']
])

/**
 * @param {Closed} closed
 * @returns {Step}
 */
export function nextStep ({ code, linked, wanted, hadCode, failures, conflicts, random }) {
  const final = FINAL.get(code ?? 0)
  if (final) return { delayMs: null, state: 'blocked', reason: final }
  if (code === RESTART_REQUIRED) return { delayMs: 0, state: 'connecting' }
  const delayMs = SHORTEST_MS + backOffMs({ attempt: failures, ...BACK_OFF, random })
  if (!linked) return nextStepOfUnlinked(wanted, hadCode && code === QR_EXPIRED, delayMs)
  if (code === 401) {
    return { delayMs: null, wipe: true, state: 'logged_out', reason: 'the link was removed on the phone' }
  }
  if (code === CONFLICT) return nextStepInConflict(conflicts)
  return { delayMs, state: 'connecting' }
}

/**
 * @param {boolean} wanted
 * @param {boolean} expired the codes ran out; a WhatsApp that cannot be reached ends with the same number
 * @param {number} delayMs
 * @returns {Step}
 */
function nextStepOfUnlinked (wanted, expired, delayMs) {
  if (!wanted) return { delayMs: null, state: 'disconnected' }
  if (expired) return { delayMs: 0, state: 'connecting' }
  return { delayMs, state: 'connecting', reason: 'WhatsApp cannot be reached from this machine; trying again' }
}

/**
 * Two clients on one link throw each other out for ever, if both insist.
 *
 * @param {number} conflicts
 * @returns {Step}
 */
function nextStepInConflict (conflicts) {
  const reason = 'another program uses this link (440)'
  if (conflicts === 0) return { delayMs: CONFLICT_MS, state: 'connecting', reason: `${reason}; trying once more in a minute` }
  return { delayMs: null, state: 'disconnected', reason: `${reason}: stop it, then connect again` }
}
