import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { StartError } from './errors.js'

/**
 * What a sidecar keeps. There are two: this one, a file for one sidecar alone, and
 * postgres-store.js, for several.
 *
 * @typedef {object} Table what was written can be read once its write has been awaited
 * @property {(key: any) => any} get
 * @property {(range?: { start?: any, end?: any }) => Iterable<{ key: any, value: any }>} getRange by key
 * @property {() => Iterable<any>} getKeys
 * @property {() => number} getKeysCount
 * @property {(key: any, value: any) => Promise<boolean>} put
 * @property {(key: any) => Promise<boolean>} remove false: there was none
 *
 * @typedef {object} Marks tells a number that is linked, whether or not its identity can be read
 * @property {(tenantId: string) => boolean} has
 * @property {(tenantId: string) => Promise<unknown>} leave
 * @property {(tenantId: string) => Promise<unknown>} take away
 * @property {() => string[]} all
 *
 * @typedef {object} Tables
 * @property {Table} creds tenant → the number's identity, sealed
 * @property {Table} keys [tenant, type, id] → Signal key, JSON
 * @property {Table} notes [tenant, chat, id] → a stanza that has not been read yet
 * @property {Table} plaintexts [tenant, hash of the ciphertext] → what it held, and the chat
 * @property {Table} journal [tenant, sequence] → a message the server has not judged yet
 * @property {Table} aside [tenant, sequence] → a message the server refused
 * @property {Table} known [tenant, chat, from me, id] → when it was journaled, epoch ms; of a chat that was forgotten
 *   [tenant, hash of the rest]
 * @property {Table} sends [tenant, message id] → a send and what became of it
 * @property {Table} retries [tenant, what Baileys calls it] → how often a message was asked for again
 * @property {Table} meta [tenant, 'sequence'] → the last number of its journal
 *
 * @typedef {object} Access
 * @property {<T>(tenantId: string, run: () => T) => Promise<T>} transaction what *run* writes, all or nothing; *run* is
 *   synchronous, sees what was written before, and writes entries of this tenant alone
 * @property {Marks} marks
 * @property {() => Promise<void>} close
 *
 * @typedef {Tables & Access} Store
 */

export const TABLES = /** @type {const} */ (
  ['creds', 'keys', 'notes', 'plaintexts', 'journal', 'aside', 'known', 'sends', 'retries', 'meta'])
/** Tables whose values are text; the others hold objects and numbers. */
export const TEXT_TABLES = ['creds', 'keys']

/**
 * Open the one file that holds keys, journal and send ledger, so that one
 * transaction can cover all of them. One process at a time may hold it.
 *
 * A write that has been awaited is on disk: without `overlappingSync` lmdb
 * resolves after the flush (its README, "Database Options").
 *
 * @param {string} directory
 * @returns {Store}
 * @throws {StartError} damaged, or held by another process
 */
export function openStore (directory) {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  try {
    examine(directory)
    const opened = openTables(directory)
    claim(directory, opened)
    const { env, close, ...tables } = opened
    return { ...tables, transaction: (_, run) => env.transaction(run), marks: makeMarks(join(directory, 'linked')), close }
  } catch (error) {
    if (error instanceof StartError) throw error
    throw damaged(directory, /** @type {Error} */ (error).message)
  }
}

/**
 * All entries whose key begins with *prefix*, in order.
 *
 * @param {Table} table
 * @param {string[]} prefix
 */
export function entriesUnder (table, prefix) {
  // In lmdb's ordering of keys every string sorts after every number, and
  // U+FFFF after every string that we use.
  return table.getRange({ start: prefix, end: [...prefix, '\uffff'] })
}

/**
 * Forget the entries of *table* whose value *isMeant*, those of one tenant at once.
 *
 * @param {Pick<Store, 'transaction'>} store
 * @param {Table} table with keys that begin with the tenant
 * @param {(value: any) => boolean} isMeant
 */
export async function removeWhere ({ transaction }, table, isMeant) {
  /** @type {Map<string, any[]>} */
  const keys = new Map()
  for (const { key, value } of table.getRange()) {
    if (!isMeant(value)) continue
    const meant = keys.get(key[0]) ?? []
    keys.set(key[0], meant)
    meant.push(key)
  }
  await Promise.all([...keys].map(([tenantId, meant]) =>
    transaction(tenantId, () => meant.forEach(key => table.remove(key)))))
}

/**
 * The tables alone, without becoming the owner.
 *
 * @param {string} directory
 * @param {import('lmdb').RootDatabaseOptions} [options]
 */
export function openTables (directory, options) {
  const env = open({ path: directory, noSubdir: false, overlappingSync: false, maxDbs: 16, ...options })
  /** @type {Record<typeof TABLES[number], import('lmdb').Database>} */
  const tables = Object.assign({}, ...TABLES.map(
    name => ({ [name]: env.openDB(name, TEXT_TABLES.includes(name) ? { encoding: 'string' } : {}) })))

  /** A socket may read on for a moment. lmdb would end the process over that, after its close, from a timer. */
  function close () {
    for (const table of Object.values(tables)) Object.assign(table, CLOSED)
    return env.close()
  }

  return { ...tables, env, close }
}

const CLOSED = Object.fromEntries(['get', 'getRange', 'getKeys', 'getKeysCount', 'put', 'remove'].map(
  name => [name, () => { throw new Error('the store is closed') }]))

/**
 * Become the store's owner, or say who is.
 *
 * LMDB keeps a slot for each process that has read from the store, guarded by
 * a lock that the kernel drops when the process dies, however it dies. An owner
 * that has no slot any more is dead. The write transaction lets one of two
 * racing processes win.
 *
 * @param {string} directory
 * @param {ReturnType<typeof openTables>} opened
 */
function claim (directory, { env, meta }) {
  meta.get('owner') // takes our own slot
  env.readerCheck() // frees the slots of the dead
  env.transactionSync(() => {
    const owner = meta.get('owner')
    if (owner !== undefined && owner !== process.pid && readers(env).has(owner)) {
      throw new StartError(
        `Another WhatsApp sidecar (process ${owner}) already uses ${directory}: stop it, or give this one a DATA_DIR of its own.`)
    }
    meta.putSync('owner', process.pid)
  })
}

/**
 * A file for each number beside the store: they outlast the store's own.
 *
 * @param {string} directory
 * @returns {Marks}
 */
function makeMarks (directory) {
  /** @param {string} tenantId */
  async function leave (tenantId) {
    const path = join(directory, tenantId)
    if (existsSync(path)) return
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    closeSync(openSync(path, 'w', 0o600))
    // The entry in the directory is what counts, so that is what is flushed.
    const opened = openSync(directory, 'r')
    fsyncSync(opened)
    closeSync(opened)
  }

  return {
    has: tenantId => existsSync(join(directory, tenantId)),
    leave,
    take: async tenantId => rmSync(join(directory, tenantId), { force: true }),
    all: () => existsSync(directory) ? readdirSync(directory) : []
  }
}

/** @param {import('lmdb').RootDatabase} env */
function readers (env) {
  const rows = env.readerList().matchAll(/^\s*(\d+)\s/gm)
  return new Set([...rows].map(row => Number(row[1])))
}

/**
 * Read the whole store in a process of its own: a page that is cut off or
 * garbled can kill the process that maps it, which must not be this one.
 *
 * @param {string} directory
 */
function examine (directory) {
  if (!existsSync(join(directory, 'data.mdb'))) return
  const examiner = fileURLToPath(new URL('./store-examiner.js', import.meta.url))
  const { status, signal } = spawnSync(process.execPath, [examiner, directory], { stdio: 'ignore', timeout: 60_000 })
  if (status !== 0) throw damaged(directory, signal ? `reading it ended with ${signal}` : 'parts of it are garbled')
}

/**
 * @param {string} directory
 * @param {string} reason
 */
function damaged (directory, reason) {
  return new StartError(`The WhatsApp store in ${directory} is damaged (${reason}): put back a backup, or move the directory away and link the numbers again.`)
}
