import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from './errors.js'

/**
 * The secret that the sidecar and the server share, made on the first run.
 *
 * Both processes may race to make it: the file appears complete, by a hard
 * link that only one of them wins, and the other reads the winner's.
 *
 * @param {string} dataDir
 * @returns {string}
 */
export function sharedSecret (dataDir) {
  const path = join(dataDir, 'internal-secret')
  return readSecret(path) ?? makeSecret(dataDir, path)
}

/**
 * Compare in constant time; hashing first makes the lengths equal.
 *
 * @param {string} secret
 * @returns {(offered: string | string[] | undefined) => boolean}
 */
export function secretCheck (secret) {
  const expected = sha256(secret)
  return offered => typeof offered === 'string' && timingSafeEqual(sha256(offered), expected)
}

/** @param {string} path */
function readSecret (path) {
  let text
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined
    throw new StartError(`The secret in ${path} cannot be read: ${/** @type {Error} */ (error).message}.`)
  }
  if (text === '') throw new StartError(`The secret in ${path} is empty: delete the file to have a new one made.`)
  return text
}

/**
 * @param {string} dataDir
 * @param {string} path
 */
function makeSecret (dataDir, path) {
  mkdirSync(dataDir, { recursive: true })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  const file = openSync(draft, 'wx', 0o600)
  try {
    writeSync(file, `${randomBytes(32).toString('hex')}\n`)
    fsyncSync(file)
    linkSync(draft, path)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
  } finally {
    closeSync(file)
    rmSync(draft)
  }
  return /** @type {string} */ (readSecret(path))
}

/** @param {string} text */
function sha256 (text) {
  return createHash('sha256').update(text).digest()
}
