import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isRefusal } from './database.js'
import { NotHere } from './errors.js'
import { makeGroupCommit } from './group-commit.js'
import { TABLES, TEXT_TABLES, entriesUnder, openTables } from './store.js'

/**
 * The store of a sidecar among several. PostgreSQL keeps it; what belongs to a
 * number that we hold is also here, in a scratch LMDB without a name, so that
 * it is read as from a store of our own. A change shows there once it has been
 * committed in PostgreSQL.
 *
 * @typedef {import('./store.js').Store} Store
 * @typedef {import('./store.js').Table} Table
 * @typedef {import('./number-leases.js').Lease} Lease
 * @typedef {import('./group-commit.js').Changes} Changes
 * @typedef {import('./group-commit.js').Change} Change
 * @typedef {typeof TABLES[number]} Name
 * @typedef {ReturnType<typeof openPostgresStore>} PostgresStore
 */

const PAGE = 5000
const RETRY = { firstMs: 50, capMs: 1000 }
const MARK = 'linked'

/** One statement, so one transaction: the fence stays locked until it has been committed. */
const SAVE = `
  WITH fence AS (
    SELECT tenant_id FROM whatsapp_numbers WHERE tenant_id = $1 AND owner = $2 AND token = $3 FOR UPDATE
  ), removed AS (
    DELETE FROM whatsapp_entries entry USING fence, unnest($4::text[], $5::text[]) AS gone (table_name, key)
    WHERE entry.tenant_id = fence.tenant_id AND entry.table_name = gone.table_name AND entry.key = gone.key
  ), written AS (
    INSERT INTO whatsapp_entries (tenant_id, table_name, key, value)
    SELECT fence.tenant_id, new.table_name, new.key, new.value
    FROM fence, unnest($6::text[], $7::text[], $8::text[]) AS new (table_name, key, value)
    ON CONFLICT (tenant_id, table_name, key) DO UPDATE SET value = excluded.value
  )
  SELECT tenant_id FROM fence`

const LOAD = `
  SELECT table_name, key, value FROM whatsapp_entries
  WHERE tenant_id = $1 AND (table_name, key) > ($2, $3) ORDER BY table_name, key LIMIT ${PAGE}`

/**
 * @param {object} deps
 * @param {import('./database.js').Query} deps.query
 * @param {import('./number-leases.js').NumberLeases} deps.leases
 * @param {number} deps.patienceMs how long a write is tried again before the number is given up
 * @param {(tenantId: string, error: unknown) => void} deps.onBroken a number's writes have come to an end
 * @param {import('./clock.js').Clock} deps.clock
 */
export function openPostgresStore ({ query, leases, patienceMs, onBroken, clock }) {
  const { env, close: closeMirror, ...mirror } = openMirror()
  /** @type {Map<string, { commit: import('./group-commit.js').GroupCommit, lease: Lease }>} tenant → its writer */
  const writers = new Map()
  /** @type {Changes | undefined} of the transaction that is being put together at this moment */
  let current

  /**
   * @param {Lease} lease
   * @param {Change[]} changes
   */
  async function save (lease, changes) {
    const values = parameters(changes)
    const giveUpAt = performance.now() + patienceMs
    for (let attempt = 0; ; attempt++) {
      try {
        // An attempt that got no answer may still arrive, after this one or much later.
        if (attempt > 0 && !await leases.raise(lease)) throw new NotHere()
        const [held] = await query(SAVE, [lease.tenantId, lease.owner, lease.token, ...values])
        if (!held) throw new NotHere()
        break
      } catch (error) {
        if (error instanceof NotHere || isRefusal(error) || performance.now() > giveUpAt) throw error
        await pause(attempt)
      }
    }
    // It is kept. Yet this process may have slept since, and then all that follows is another's to do.
    if (!leases.isLive(lease)) throw new NotHere()
    reflect(changes)
  }

  /** @param {number} attempt */
  function pause (attempt) {
    const delayMs = Math.min(RETRY.capMs, RETRY.firstMs * 2 ** Math.min(attempt, 10))
    return new Promise(resolve => clock.after(delayMs, () => resolve(undefined)))
  }

  /** @param {Change[]} changes */
  function reflect (changes) {
    env.transactionSync(() => {
      for (const { table, key, value } of changes) {
        if (value === undefined) mirror[/** @type {Name} */ (table)].removeSync(key)
        else mirror[/** @type {Name} */ (table)].putSync(key, value)
      }
    })
  }

  /**
   * @template T
   * @param {string} tenantId
   * @param {(changes: Changes) => T} run
   * @returns {Promise<T>}
   */
  function write (tenantId, run) {
    const writer = writers.get(tenantId)
    return writer ? writer.commit.add(run) : Promise.reject(new NotHere())
  }

  /**
   * @template T
   * @param {string} tenantId
   * @param {() => T} run
   * @returns {Promise<T>}
   */
  function transaction (tenantId, run) {
    return write(tenantId, changes => {
      current = changes
      try {
        return run()
      } finally {
        current = undefined
      }
    })
  }

  /**
   * @param {Name} name
   * @returns {Table}
   */
  function tableOf (name) {
    const copy = mirror[name]

    /** @param {Changes | undefined} changes @param {any} key */
    function read (changes, key) {
      const change = changes?.get(idOf(name, key))
      return change ? change.value : copy.get(key)
    }

    /** @param {any} key @param {any} value */
    function change (key, value) {
      /** @param {Changes} changes */
      const run = changes => {
        const isThere = read(changes, key) !== undefined
        changes.set(idOf(name, key), { table: name, key, value })
        return isThere
      }
      return current ? Promise.resolve(run(current)) : write(tenantOf(key), run)
    }

    return {
      get: key => read(current, key),
      getRange: range => copy.getRange(range),
      getKeys: () => copy.getKeys(),
      getKeysCount: () => copy.getKeysCount(),
      put: change,
      remove: key => change(key, undefined)
    }
  }

  /**
   * Read all that belongs to a number that we have just claimed.
   *
   * @param {Lease} lease
   */
  async function load (lease) {
    const { tenantId } = lease
    clear(tenantId)
    for (let after = ['', '']; ;) {
      const rows = await query(LOAD, [tenantId, ...after])
      reflect(rows.map(({ table_name: table, key, value }) =>
        ({ table, key: keyFrom(tenantId, key), value: valueFrom(table, value) })))
      if (rows.length < PAGE) break
      after = [rows[rows.length - 1].table_name, rows[rows.length - 1].key]
    }
    const commit = makeGroupCommit({
      save: changes => save(lease, changes), isRefusal, onBroken: error => onBroken(tenantId, error)
    })
    writers.set(tenantId, { commit, lease })
  }

  /**
   * A number is no longer ours: forget what we know of it. What was not saved is rejected.
   *
   * @param {string} tenantId
   */
  async function unload (tenantId) {
    const writer = writers.get(tenantId)
    if (!writer) return
    if (leases.isLive(writer.lease)) await writer.commit.close(new NotHere())
    else writer.commit.abandon(new NotHere())
    writers.delete(tenantId)
    clear(tenantId)
  }

  /** @param {string} tenantId */
  function clear (tenantId) {
    env.transactionSync(() => {
      for (const name of TABLES) {
        for (const { key } of [...entriesUnder(mirror[name], [tenantId])]) mirror[name].removeSync(key)
      }
      mirror.creds.removeSync(tenantId)
    })
  }

  const tables = /** @type {Record<Name, Table>} */ (Object.fromEntries(TABLES.map(name => [name, tableOf(name)])))
  return {
    ...tables,
    transaction,
    marks: makeMarks(tables.meta),
    load,
    unload,
    close: closeMirror
  }
}

/** Its files have lost their names before anything is in them: they go with the process, however it ends. */
function openMirror () {
  const directory = mkdtempSync(join(tmpdir(), 'frontdesk-whatsapp-'))
  try {
    return openTables(directory, { noSync: true })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/**
 * @param {Table} meta
 * @returns {import('./store.js').Marks}
 */
function makeMarks (meta) {
  return {
    has: tenantId => meta.get([tenantId, MARK]) !== undefined,
    leave: async tenantId => meta.get([tenantId, MARK]) ?? await meta.put([tenantId, MARK], true),
    take: tenantId => meta.remove([tenantId, MARK]),
    all: () => [...meta.getKeys()].filter(key => key[1] === MARK).map(key => key[0])
  }
}

/** @param {Change[]} changes */
function parameters (changes) {
  const gone = changes.filter(({ value }) => value === undefined)
  const written = changes.filter(({ value }) => value !== undefined)
  return [
    gone.map(({ table }) => table),
    gone.map(({ key }) => textOfKey(key)),
    written.map(({ table }) => table),
    written.map(({ key }) => textOfKey(key)),
    written.map(({ table, value }) => textOfValue(table, value))
  ]
}

/** @param {string} name @param {any} key */
function idOf (name, key) {
  return `${name} ${JSON.stringify(key)}`
}

/** @param {any} key the tenant alone, or a list that begins with it */
function tenantOf (key) {
  return Array.isArray(key) ? key[0] : key
}

/** What distinguishes the key within its tenant, as JSON. @param {any} key */
function textOfKey (key) {
  return JSON.stringify(Array.isArray(key) ? key.slice(1) : [])
}

/** @param {string} tenantId @param {string} text */
function keyFrom (tenantId, text) {
  const rest = JSON.parse(text)
  return rest.length === 0 ? tenantId : [tenantId, ...rest]
}

/**
 * Texts are JSON already, or as good as; PostgreSQL takes them but for NUL, which JSON writes otherwise.
 *
 * @param {string} table
 * @param {any} value
 */
function textOfValue (table, value) {
  return TEXT_TABLES.includes(table) ? value : JSON.stringify(value, bytesToText)
}

/** @param {string} table @param {string} text */
function valueFrom (table, text) {
  return TEXT_TABLES.includes(table) ? text : JSON.parse(text, bytesFromText)
}

/** @this {any} @param {string} name @param {any} value as JSON has it, a Buffer already taken apart */
function bytesToText (name, value) {
  const original = this[name]
  return original instanceof Uint8Array ? { $bytes: Buffer.from(original).toString('base64') } : value
}

/** @param {string} _ @param {any} value */
function bytesFromText (_, value) {
  return typeof value?.$bytes === 'string' ? Buffer.from(value.$bytes, 'base64') : value
}
