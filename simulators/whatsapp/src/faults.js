import { DISCONNECT_CODES } from './disconnect.js'
import { SimulatorError } from './errors.js'

/**
 * What can go wrong on purpose. `pn` narrows a fault to one guest or host; `after` lets that many
 * chances pass first; `count` (default 1) is how often it strikes; `probability` (default 1) is
 * drawn from the seed at each chance; with `forMs` it strikes for so long and, without a `count`, as
 * often as it can.
 *
 * @typedef {{id: number, kind: string, pn?: string, after: number, count: number, probability: number,
 *   until: number, code?: number, ms?: number, stanza?: string, way?: string, mode?: string, at?: string,
 *   delivered?: boolean}} Fault until: epoch ms
 */

/** @type {Record<string, string[]>} each kind and the fields of its own */
const KINDS = {
  'drop': ['stanza', 'way'],
  'delay': ['stanza', 'way', 'ms'],
  'duplicate': ['stanza', 'way', 'mode'],
  'reorder': ['stanza', 'way'],
  'disconnect': ['code', 'at', 'delivered'],
  'silent': ['at'],
  'withhold': [],
  'no-ack': ['delivered'],
  'ack-error': ['code'],
  'ack-delay': ['ms'],
  'no-iq': [],
  'refuse': ['mode'],
  'media': ['mode'],
  'media-delay': ['ms'],
  'no-reupload': ['mode']
}
const COMMON = ['kind', 'pn', 'after', 'count', 'probability', 'forMs']
const STANZAS = ['message', 'receipt']
/** To the client, or from it. */
const WAYS = ['in', 'out']
const MOMENTS = ['now', 'login', 'guest-message', 'client-message']
/** @type {Record<string, string[]>} the first is meant where none is named */
const MODES = {
  'duplicate': ['same', 'again'],
  'refuse': ['reset', 'http'],
  'media': ['gone', 'missing', 'expired', 'error', 'redirect', 'corrupt', 'cut'],
  'no-reupload': ['silent', 'refuse']
}

/** The faults that still wait for their chance. */
export class Faults {
  /** @param {import('./random.js').Random} random */
  constructor (random) {
    this.random = random
    /** @type {Fault[]} */
    this.waiting = []
    this.lastId = 0
  }

  /** @param {Record<string, unknown>} wish @returns {Fault} @throws {SimulatorError} 422 */
  add (wish) {
    checkFault(wish)
    const { forMs, ...fields } = /** @type {any} */ (wish)
    const limits = forMs === undefined ? { count: 1, until: Infinity } : { count: Infinity, until: Date.now() + forMs }
    const fault = /** @type {Fault} */ ({ after: 0, probability: 1, ...limits, ...fields, id: ++this.lastId })
    this.waiting.push(fault)
    return fault
  }

  /** @param {Fault} fault */
  remove (fault) {
    this.waiting = this.waiting.filter(one => one !== fault)
  }

  clear () {
    this.waiting = []
  }

  /**
   * @param {string} kind
   * @param {string[]} pns the numbers that take part
   * @param {Partial<Fault>} [having] fields that must be equal
   * @returns {Fault | undefined} the fault that strikes now, if one does
   */
  strike (kind, pns, having = {}) {
    const now = Date.now()
    this.waiting = this.waiting.filter(({ until }) => until > now)
    for (const fault of this.waiting) {
      if (fault.kind !== kind || !isAbout(fault, pns) || !has(fault, having)) continue
      if (fault.after > 0) {
        fault.after--
        continue
      }
      if (fault.probability < 1 && this.random.fraction() >= fault.probability) continue
      if (--fault.count <= 0) this.remove(fault)
      return fault
    }
    return undefined
  }
}

/** @param {Fault} fault @param {string[]} pns */
function isAbout (fault, pns) {
  return !fault.pn || pns.includes(fault.pn)
}

/** @param {Fault} fault @param {Partial<Fault>} having */
function has (fault, having) {
  const full = { stanza: 'message', way: 'in', at: 'now', ...fault }
  return Object.entries(having).every(([field, value]) => full[/** @type {keyof Fault} */ (field)] === value)
}

/** @param {Record<string, unknown>} wish */
function checkFault (wish) {
  const own = KINDS[String(wish.kind)]
  if (!own) throw new SimulatorError(422, `unknown fault: kind is one of ${Object.keys(KINDS).join(', ')}`)
  const allowed = [...COMMON, ...own]
  const stranger = Object.keys(wish).find(field => !allowed.includes(field))
  if (stranger) throw new SimulatorError(422, `${wish.kind} has no field ${stranger}; it takes ${allowed.join(', ')}`)
  oneOf(wish, 'stanza', STANZAS)
  oneOf(wish, 'way', WAYS)
  oneOf(wish, 'at', MOMENTS)
  oneOf(wish, 'mode', MODES[String(wish.kind)] ?? [])
  if (wish.way === 'out' && (wish.stanza ?? 'message') !== 'message') {
    throw new SimulatorError(422, 'on the way out only a message can be struck')
  }
  for (const field of ['after', 'count', 'ms', 'forMs']) wholeNumber(wish, field)
  checkProbability(wish.probability)
  if (own.includes('ms') && wish.ms === undefined) throw new SimulatorError(422, `${wish.kind} needs ms`)
  if (own.includes('code')) checkCode(wish)
}

/** @param {unknown} probability */
function checkProbability (probability = 1) {
  if (typeof probability !== 'number' || !(probability > 0 && probability <= 1)) {
    throw new SimulatorError(422, 'probability is a number above 0 and at most 1')
  }
}

/** @param {Record<string, unknown>} wish */
function checkCode ({ kind, code }) {
  if (kind === 'disconnect' && !DISCONNECT_CODES.includes(Number(code))) {
    throw new SimulatorError(422, `disconnect needs a code: ${DISCONNECT_CODES.join(', ')}`)
  }
  if (!Number.isInteger(code)) throw new SimulatorError(422, `${kind} needs a code, a whole number such as 463`)
}

/** @param {Record<string, unknown>} wish @param {string} field @param {string[]} values */
function oneOf (wish, field, values) {
  if (wish[field] !== undefined && !values.includes(String(wish[field]))) {
    throw new SimulatorError(422, `${field} is one of ${values.join(', ')}`)
  }
}

/** @param {Record<string, unknown>} wish @param {string} field */
function wholeNumber (wish, field) {
  const value = wish[field]
  if (value !== undefined && !(Number.isInteger(value) && Number(value) >= 0)) {
    throw new SimulatorError(422, `${field} is a whole number, 0 or more`)
  }
}
