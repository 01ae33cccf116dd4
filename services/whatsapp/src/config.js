import { StartError } from './errors.js'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']
// LOG_LEVEL is shared with the web process, which knows Python's names.
const PYTHON_LEVELS = ['critical', 'error', 'warning', 'info', 'debug']
const FROM_PYTHON = new Map([['critical', 'fatal'], ['warning', 'warn']])
const MIB = 1024 * 1024
const ANNOUNCEMENTS = /** @type {const} */ (['turn', 'never'])

/**
 * @typedef {object} Config
 * @property {number} port 0 takes any free port
 * @property {string} host address to listen on
 * @property {string} serverUrl Flask, without a trailing slash
 * @property {string} dataDir
 * @property {string | undefined} databaseUrl PostgreSQL that several sidecars share; undefined: a store in `dataDir`
 * @property {string | undefined} advertiseUrl where Flask reaches this sidecar; undefined: told from host and port
 * @property {number} leaseMs how long a number is held without a renewal
 * @property {string | undefined} secret undefined: kept in `dataDir`
 * @property {string | undefined} socketUrl WhatsApp's WebSocket; undefined: the real one
 * @property {import('./media.js').MediaSettings} media
 * @property {[number, number, number] | undefined} version WhatsApp Web's; undefined: Baileys' own
 * @property {'turn' | 'never'} announce when the number is shown as available
 * @property {import('./pace.js').Limits} pace
 * @property {string} logLevel
 * @property {string} libraryLogLevel Baileys' own messages, scrubbed
 */

/**
 * Read the settings once, at start.
 *
 * @param {Record<string, string | undefined>} env
 * @returns {Config}
 * @throws {StartError} names every fault at once
 */
export function readConfig (env) {
  /** @type {string[]} */
  const faults = []
  const config = {
    port: readPort(env, 'WHATSAPP_PORT', 3300, 0, faults),
    host: env.WHATSAPP_HOST || '127.0.0.1',
    serverUrl: readServerUrl(env, faults),
    dataDir: env.DATA_DIR || 'var',
    databaseUrl: readDatabaseUrl(env, faults),
    advertiseUrl: readUrl(env, 'WHATSAPP_ADVERTISE_URL', ['http:', 'https:'], faults)?.replace(/\/+$/, ''),
    leaseMs: readLeaseMs(env, faults),
    secret: env.INTERNAL_SECRET || undefined,
    socketUrl: readUrl(env, 'WHATSAPP_SOCKET_URL', ['ws:', 'wss:'], faults),
    media: {
      origin: readOrigin(env, faults),
      mostBytes: readWithin(env, 'WHATSAPP_MEDIA_MAX_MB', 16, 100, faults) * MIB,
      timeLimitMs: readWithin(env, 'WHATSAPP_MEDIA_TIMEOUT_S', 15, 120, faults) * 1000
    },
    version: readVersion(env, faults),
    announce: readChoice(env, 'WHATSAPP_ANNOUNCE', ANNOUNCEMENTS, 'turn', faults),
    pace: {
      // Only WhatsApp itself bans.
      sendsPerMinute: readCount(env, 'WHATSAPP_SENDS_PER_MINUTE', env.WHATSAPP_SOCKET_URL ? 0 : 240, 6000, faults),
      warmUpDays: readCount(env, 'WHATSAPP_WARM_UP_DAYS', 7, 60, faults)
    },
    logLevel: readLogLevel(env, faults),
    libraryLogLevel: readChoice(env, 'WHATSAPP_LIBRARY_LOG_LEVEL', LOG_LEVELS, 'silent', faults)
  }
  if (faults.length > 0) throw new StartError(`The settings are not right: ${faults.join('; ')}.`)
  return config
}

/**
 * Python's DATABASE_URL may name a driver, and a database that is not PostgreSQL.
 *
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 */
function readDatabaseUrl ({ DATABASE_URL: text = '' }, faults) {
  if (text === '' || text.startsWith('sqlite')) return undefined
  const url = text.replace(/^postgres(ql)?(\+\w+)?:\/\//, 'postgresql://')
  if (url.startsWith('postgresql://') && URL.canParse(url)) return url
  faults.push('DATABASE_URL must begin with postgresql:// or sqlite://')
  return undefined
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 */
function readLeaseMs ({ LEASE_S: text }, faults) {
  const seconds = Number(text || 8)
  if (seconds >= 1 && seconds <= 120) return seconds * 1000
  faults.push('LEASE_S must be a number of seconds from 1 to 120')
  return 0
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 */
function readOrigin (env, faults) {
  const url = readUrl(env, 'WHATSAPP_MEDIA_URL', ['http:', 'https:'], faults)
  return url && new URL(url).origin
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {number} fallback
 * @param {number} highest
 * @param {string[]} faults
 */
function readWithin (env, name, fallback, highest, faults) {
  const number = Number(env[name] || fallback)
  if (number > 0 && number <= highest) return number
  faults.push(`${name} must be a number above 0 and at most ${highest}`)
  return fallback
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 */
function readServerUrl (env, faults) {
  const port = readPort(env, 'PORT', 5000, 1, faults)
  const url = readUrl(env, 'SERVER_URL', ['http:', 'https:'], faults) ?? `http://127.0.0.1:${port}`
  return url.replace(/\/+$/, '')
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {number} fallback
 * @param {number} lowest
 * @param {string[]} faults
 */
function readPort (env, name, fallback, lowest, faults) {
  const text = env[name]
  if (!text) return fallback
  const port = Number(text)
  if (/^\d+$/.test(text) && port >= lowest && port <= 65535) return port
  faults.push(`${name} must be a port from ${lowest} to 65535`)
  return fallback
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {number} fallback
 * @param {number} highest
 * @param {string[]} faults
 */
function readCount (env, name, fallback, highest, faults) {
  const text = env[name]
  if (!text) return fallback
  if (/^\d{1,6}$/.test(text) && Number(text) <= highest) return Number(text)
  faults.push(`${name} must be a whole number from 0 to ${highest}`)
  return fallback
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {string[]} protocols
 * @param {string[]} faults
 */
function readUrl (env, name, protocols, faults) {
  const text = env[name]
  if (!text) return undefined
  if (URL.canParse(text) && protocols.includes(new URL(text).protocol)) return text
  faults.push(`${name} must be a URL that begins with ${protocols.map(p => `${p}//`).join(' or ')}`)
  return undefined
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 * @returns {[number, number, number] | undefined}
 */
function readVersion (env, faults) {
  const text = env.WHATSAPP_VERSION
  if (!text) return undefined
  const parts = /^(\d+)\.(\d+)\.(\d+)$/.exec(text)
  if (parts) return [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  faults.push('WHATSAPP_VERSION must look like 2.3000.1043857760')
  return undefined
}

/**
 * @param {Record<string, string | undefined>} env
 * @param {string[]} faults
 */
function readLogLevel (env, faults) {
  const level = readChoice(env, 'LOG_LEVEL', PYTHON_LEVELS, 'info', faults)
  return FROM_PYTHON.get(level) ?? level
}

/**
 * @template {string} T
 * @param {Record<string, string | undefined>} env
 * @param {string} name
 * @param {readonly T[]} choices
 * @param {T} fallback
 * @param {string[]} faults
 * @returns {T}
 */
function readChoice (env, name, choices, fallback, faults) {
  const text = env[name]
  if (!text) return fallback
  const choice = choices.find(c => c === text.toLowerCase())
  if (choice) return choice
  faults.push(`${name} must be one of ${choices.join(', ')}`)
  return fallback
}
