import pg from 'pg'
import { StartError } from './errors.js'

/**
 * The PostgreSQL that all sidecars share. Its tables are made by `frontdesk
 * migrate` (server/store/models.py).
 *
 * @typedef {(text: string, values?: unknown[]) => Promise<any[]>} Query resolves with the rows
 * @typedef {object} Database
 * @property {Query} query
 * @property {Query} ask as `query`, on connections of their own: leases must not wait behind writes
 * @property {() => Promise<void>} close
 */

const CONNECT_LIMIT_MS = 3000
/** Of one statement: all of them take milliseconds. */
const ANSWER_LIMIT_MS = 5000
const WRITERS = 8

/**
 * @param {object} options
 * @param {string} options.url
 * @param {import('./logger.js').Logger} options.logger
 * @param {number} [options.leaseMs]
 * @returns {Promise<Database>}
 * @throws {StartError} it does not answer, or lacks our tables
 */
export async function openDatabase ({ url, logger, leaseMs = Infinity }) {
  const limitMs = Math.min(ANSWER_LIMIT_MS, leaseMs / 2)
  const writers = makePool({ url, max: WRITERS, limitMs, logger })
  const leases = makePool({ url, max: 2, limitMs, logger })
  const database = {
    query: queryOf(writers),
    ask: queryOf(leases),
    close: async () => void await Promise.all([writers.end(), leases.end()])
  }
  try {
    await check(database.query)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** @param {{ url: string, max: number, limitMs: number, logger: import('./logger.js').Logger }} options */
function makePool ({ url, max, limitMs, logger }) {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'frontdesk whatsapp',
    max,
    connectionTimeoutMillis: Math.min(CONNECT_LIMIT_MS, limitMs),
    // The server ends it first; ours is for a server that does not answer at all.
    statement_timeout: limitMs,
    query_timeout: limitMs + 500,
    keepAlive: true
  })
  // An idle connection that breaks is replaced when the next one is needed.
  pool.on('error', error => logger.warn({ event: 'database_connection_lost', error: error.message }))
  return pool
}

/**
 * Our statements are few and constant, so that each connection prepares them once.
 *
 * @param {pg.Pool} pool
 * @returns {Query}
 */
function queryOf (pool) {
  /** @type {Map<string, string>} */
  const names = new Map()

  /** @param {string} text */
  function nameOf (text) {
    const name = names.get(text) ?? `frontdesk ${names.size}`
    names.set(text, name)
    return name
  }

  return async (text, values) => (await pool.query({ name: nameOf(text), text, values })).rows
}

/** @param {Query} query */
async function check (query) {
  try {
    await query('SELECT FROM whatsapp_numbers, whatsapp_sidecars, whatsapp_entries LIMIT 0')
  } catch (error) {
    const { code, message } = /** @type {import('pg').DatabaseError} */ (error)
    if (code === '42P01') throw new StartError('The database lacks the sidecar\'s tables: run `frontdesk migrate`.')
    throw new StartError(`The database of DATABASE_URL does not answer (${code ?? message}).`)
  }
}

/**
 * Whether the database refuses what was asked, so that asking again is in vain.
 * Classes 22, 23 and 42 of SQLSTATE: data, constraint, statement.
 *
 * @param {unknown} error
 */
export function isRefusal (error) {
  return /^(22|23|42)/.test(String(/** @type {any} */ (error)?.code ?? ''))
}
