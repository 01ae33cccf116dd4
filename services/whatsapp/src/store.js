import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { open } from 'lmdb'
import { StartError } from './errors.js'

/**
 * @typedef {import('lmdb').Database} Table
 * @typedef {object} Store
 * @property {string} directory
 * @property {import('lmdb').RootDatabase} env
 * @property {Table} creds tenant → the number's identity, sealed
 * @property {Table} keys [tenant, type, id] → Signal key, JSON
 * @property {Table} notes [tenant, chat, id] → a stanza that has not been read yet
 * @property {Table} plaintexts [tenant, hash of the ciphertext] → what it held
 * @property {Table} journal [tenant, sequence] → a message the server has not judged yet
 * @property {Table} aside [tenant, sequence] → a message the server refused
 * @property {Table} known [tenant, chat, from me, id] → when it was journaled, epoch ms
 * @property {Table} sends [tenant, message id] → a send and what became of it
 * @property {Table} meta
 * @property {() => Promise<void>} close
 */

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
    const store = openTables(directory)
    claim(store)
    return store
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
 * The tables alone, without becoming the owner.
 *
 * @param {string} directory
 * @returns {Store}
 */
export function openTables (directory) {
  const env = open({ path: directory, noSubdir: false, overlappingSync: false, maxDbs: 16 })
  const text = /** @type {const} */ ({ encoding: 'string' })
  return {
    directory,
    env,
    creds: env.openDB('creds', text),
    keys: env.openDB('keys', text),
    notes: env.openDB('notes', {}),
    plaintexts: env.openDB('plaintexts', {}),
    journal: env.openDB('journal', {}),
    aside: env.openDB('aside', {}),
    known: env.openDB('known', {}),
    sends: env.openDB('sends', {}),
    meta: env.openDB('meta', {}),
    close: () => env.close()
  }
}

/**
 * Become the store's owner, or say who is.
 *
 * LMDB keeps a slot for each process that has read from the store, guarded by
 * a lock that the kernel drops when the process dies, however it dies. An owner
 * that has no slot any more is dead. The write transaction lets one of two
 * racing processes win.
 *
 * @param {Store} store
 */
function claim ({ directory, env, meta }) {
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
