import pino from 'pino'

/** @typedef {import('pino').Logger} Logger */

/** Never to be logged; the net below our own rule of logging ids only. */
const REDACTED = ['text', 'message', 'to', 'phone', 'jid', 'remoteJid', 'pushName', 'creds', 'keys', 'privKey', 'private']

/** Runs of digits that could be a phone number or a LID. */
const NUMBERS = /\d{6,}/g

/**
 * Structured events with ids as fields: `logger.info({ event, tenantId, … })`.
 *
 * @param {string} level
 * @param {import('pino').DestinationStream} [destination]
 * @returns {Logger}
 */
export function makeLogger (level, destination = pino.destination({ fd: 1, sync: true })) {
  return pino({
    level,
    base: { service: 'whatsapp' },
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'note',
    redact: REDACTED.flatMap(name => [name, `*.${name}`]),
    // The words of an error are not ours, and may hold an address.
    serializers: { error: withoutNumbers, why: withoutNumbers }
  }, destination)
}

/**
 * The logger that Baileys gets. Its objects hold keys, addresses and message
 * text, so only the sentence is kept, without its numbers.
 *
 * @param {Logger} logger
 * @param {string} level
 */
export function makeLibraryLogger (logger, level) {
  const sink = logger.child({ event: 'library' }, { level })
  /** @param {'trace' | 'debug' | 'info' | 'warn' | 'error'} method */
  const scrubbed = method => (/** @type {unknown} */ first, /** @type {unknown} */ second = '') => {
    if (!sink.isLevelEnabled(method)) return
    const sentence = [first, second].find(part => typeof part === 'string') ?? ''
    sink[method](withoutNumbers(sentence))
  }
  const library = {
    level,
    child: () => library,
    trace: scrubbed('trace'),
    debug: scrubbed('debug'),
    info: scrubbed('info'),
    warn: scrubbed('warn'),
    error: scrubbed('error')
  }
  return library
}

/** @param {unknown} words */
function withoutNumbers (words) {
  return String(words).replace(NUMBERS, '#')
}
