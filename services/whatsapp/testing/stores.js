import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { systemClock } from '../src/clock.js'
import { openDatabase } from '../src/database.js'
import { makeNumberLeases } from '../src/number-leases.js'
import { openPostgresStore } from '../src/postgres-store.js'
import { openStore } from '../src/store.js'
import { startPostgres } from './database.js'
import { makeQuietLogger } from './quiet-logger.js'
import { scratchDirectory } from './scratch.js'

/**
 * @typedef {import('../src/store.js').Store} Store
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {Awaited<ReturnType<import('./database.js').Postgres['database']>>} Scratch
 */

export const LEASE_MS = 60_000

/**
 * The same tests on every kind of store.
 *
 * @param {(open: (t: TestContext) => Promise<{ store: Store, reopen: () => Promise<Store> }>) => void} define
 *   reopen: what the next process finds when this one has been killed
 */
export function onEachStore (define) {
  describe('on LMDB', () => define(async t => {
    const directory = join(scratchDirectory(t), 'whatsapp')
    let store = openStore(directory)
    t.after(() => store.close())
    async function reopen () {
      await store.close()
      store = openStore(directory)
      return store
    }
    return { store, reopen }
  }))

  describe('on PostgreSQL', () => {
    const postgres = sharedPostgres()
    define(async t => {
      const database = await postgres().database(t)
      const { store } = await openHolder(t, database)
      return { store, reopen: async () => (await openHolder(t, database)).store }
    })
  })
}

/** One server for all tests of a `describe` or file. */
export function sharedPostgres () {
  /** @type {import('./database.js').Postgres} */
  let postgres
  before(async () => {
    postgres = await startPostgres()
  })
  after(() => postgres.close())
  return () => postgres
}

/**
 * A sidecar's half of the database: it takes both tenants, whoever had them.
 *
 * @param {TestContext} t
 * @param {Scratch} scratch
 * @param {{ tenants?: string[], leaseMs?: number, patienceMs?: number }} [options]
 */
export async function openHolder (t, scratch, { tenants = ['1', '2'], leaseMs = LEASE_MS, patienceMs = LEASE_MS } = {}) {
  const { logger } = makeQuietLogger()
  const database = await openDatabase({ url: scratch.url, logger })
  const name = `sidecar-${randomBytes(4).toString('hex')}`
  const leases = makeNumberLeases({ query: database.ask, name, url: () => `http://${name}`, leaseMs })
  /** @type {{ tenantId: string, error: any }[]} */
  const broken = []
  const store = openPostgresStore({
    query: database.query,
    leases,
    patienceMs,
    onBroken: (tenantId, error) => broken.push({ tenantId, error }),
    clock: systemClock
  })
  await scratch.rows('UPDATE whatsapp_numbers SET held_until = \'-infinity\' WHERE tenant_id = ANY ($1)', [tenants])
  const held = []
  for (const tenantId of tenants) {
    const lease = await leases.claim(tenantId)
    if (!lease) throw new Error(`tenant ${tenantId} is not free`)
    await store.load(lease)
    held.push(lease)
  }
  t.after(async () => {
    await store.close()
    await database.close()
  })
  return { name, database, leases, store, held, broken }
}
