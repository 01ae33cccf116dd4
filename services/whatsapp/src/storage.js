import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { linkedTenants } from './auth-store.js'
import { openDatabase } from './database.js'
import { makeNumberLeases } from './number-leases.js'
import { makeOwnNumbers, makeSharedNumbers } from './numbers.js'
import { openPostgresStore } from './postgres-store.js'
import { openStore } from './store.js'

/**
 * What a sidecar keeps, and which numbers are its: a file and all of them, or a
 * share of those in a database.
 *
 * @typedef {object} Storage
 * @property {import('./store.js').Store} store
 * @property {import('./numbers.js').Numbers} numbers
 * @property {() => Promise<void>} close
 */

/**
 * @param {object} deps
 * @param {import('./config.js').Config} deps.config
 * @param {() => string} deps.ownUrl where Flask reaches this sidecar; asked once it listens
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 * @returns {Promise<Storage>}
 * @throws {import('./errors.js').StartError}
 */
export async function openStorage ({ config, ownUrl, clock, logger }) {
  const { databaseUrl, dataDir, leaseMs } = config
  if (databaseUrl) return shared({ databaseUrl, leaseMs, ownUrl, clock, logger })
  const store = openStore(join(dataDir, 'whatsapp'))
  return { store, numbers: makeOwnNumbers(() => linkedTenants(store)), close: store.close }
}

/**
 * @param {object} deps
 * @param {string} deps.databaseUrl
 * @param {number} deps.leaseMs
 * @param {() => string} deps.ownUrl
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 * @returns {Promise<Storage>}
 */
async function shared ({ databaseUrl, leaseMs, ownUrl, clock, logger }) {
  const database = await openDatabase({ url: databaseUrl, leaseMs, logger })
  const name = `${hostname().slice(0, 48)}-${process.pid}-${randomBytes(6).toString('hex')}`
  const leases = makeNumberLeases({ query: database.ask, name, url: ownUrl, leaseMs })
  const store = openPostgresStore({
    query: database.query,
    leases,
    patienceMs: leaseMs,
    onBroken: (tenantId, error) => numbers.lose(tenantId, error),
    clock
  })
  const numbers = makeSharedNumbers({ leases, store, leaseMs, clock, logger })

  async function close () {
    await store.close()
    await database.close()
  }

  return { store, numbers, close }
}
