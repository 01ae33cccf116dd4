import { createHash } from 'node:crypto'
import { INBOUND, cacheKeys, freshCreds, fromJson, reviveKey, toJson } from './baileys.js'
import { NotHere } from './errors.js'
import { entriesUnder } from './store.js'

/**
 * One number's identity and Signal keys.
 *
 * The identity is sealed with a hash and its existence is also marked beside
 * it: a lost, cut or garbled identity is told from a number that was never
 * linked, and never replaced by a new one silently.
 *
 * @typedef {import('./baileys.js').Creds} Creds
 * @typedef {ReturnType<typeof makeAuthStore>} AuthStore
 */

const SESSION = 'session'

/**
 * Numbers that were linked when the process last ran, readable or not.
 *
 * @param {import('./store.js').Store} store
 * @returns {string[]} tenant ids
 */
export function linkedTenants (store) {
  return [...new Set([...store.marks.all(), ...store.creds.getKeys()].map(String))]
}

/**
 * Whether a number was linked when it was last written, readable or not.
 *
 * @param {import('./store.js').Store} store
 * @param {string} tenantId
 */
export function isLinked (store, tenantId) {
  return store.marks.has(tenantId) || store.creds.get(tenantId) !== undefined
}

/**
 * @param {object} deps
 * @param {import('./store.js').Store} deps.store
 * @param {import('./journal.js').Journal} deps.journal
 * @param {string} deps.tenantId
 * @param {() => boolean} [deps.isHeld] whether the number is still ours: a socket that we have given up must not
 *   write its old keys over those of the next one
 */
export function makeAuthStore ({ store, journal, tenantId, isHeld = () => true }) {
  /** @type {Creds | undefined} */
  let creds
  /** @type {string | undefined} */
  let fault
  /** @type {Map<string, string>} session → what `keepSessions` has kept of it, before Baileys asks for that */
  const kept = new Map()
  const keys = cacheKeys({ get: getKeys, set: setKeys })
  read()

  function read () {
    creds = undefined
    fault = undefined
    try {
      creds = unseal(store.creds.get(tenantId))
    } catch (error) {
      fault = /** @type {Error} */ (error).message
    }
    if (!creds && !fault && store.marks.has(tenantId)) fault = 'it is gone from the store'
  }

  /**
   * What Baileys starts from: the linked identity, or a new one for a new link.
   *
   * @returns {Promise<Creds>}
   */
  async function begin () {
    if (fault) throw new Error(`the identity of tenant ${tenantId} cannot be read`)
    if (creds && isSigned(creds)) return creds
    await clearKeys()
    creds = freshCreds()
    return creds
  }

  /** Keep the identity, once the phone has signed it. */
  async function save () {
    if (!creds || !isSigned(creds) || !isHeld()) return
    await Promise.all([store.creds.put(tenantId, seal(creds)), store.marks.leave(tenantId)])
  }

  /**
   * @param {string} type
   * @param {string[]} ids
   * @returns {Record<string, any>}
   */
  function getKeys (type, ids) {
    /** @type {Record<string, any>} */
    const found = {}
    for (const id of ids) {
      const text = store.keys.get([tenantId, type, id])
      if (text !== undefined) found[id] = reviveKey(type, fromJson(text))
    }
    return found
  }

  /**
   * One transaction for all keys and for the messages that they decrypted.
   *
   * @param {Record<string, Record<string, any> | undefined>} data type → id → key; null deletes
   */
  async function setKeys (data) {
    if (!isHeld()) throw new NotHere()
    const { [INBOUND]: inbound, ...signal } = data
    const asked = changesIn(signal)
    const changes = asked.filter(change => !isKept(change))
    if (changes.length > 0 || inbound) await commit(changes, Object.values(inbound ?? {}))
    // Not before: Baileys tries again what fails.
    for (const change of asked) if (isKept(change)) kept.delete(change.id)
  }

  /**
   * What is kept already may by now have been stepped on, by a message that came meanwhile.
   *
   * @param {{ type: string, id: string, text: string | null }} change
   */
  function isKept ({ type, id, text }) {
    return type === SESSION && kept.get(id) === text
  }

  /**
   * Keep sessions at once, whatever becomes of the transaction that they were changed in.
   *
   * Baileys writes a message to the socket before it commits the ratchet step
   * that encrypted it. Whoever dies in between encrypts the next message with
   * the same key, and the guest's phone cannot read that one.
   *
   * @param {Record<string, any>} sessions id → session
   */
  async function keepSessions (sessions) {
    if (!isHeld()) throw new NotHere()
    const changes = changesIn({ [SESSION]: sessions })
    await commit(changes, [])
    for (const { id, text } of changes) kept.set(id, text ?? '')
  }

  /**
   * Serialised first: a transaction whose callback throws would still commit its first half.
   *
   * @param {Record<string, Record<string, any> | undefined>} data
   */
  function changesIn (data) {
    return Object.entries(data).flatMap(([type, byId]) => Object.entries(byId ?? {}).map(
      ([id, value]) => ({ type, id, text: value ? toJson(value) : null })))
  }

  /**
   * @param {{ type: string, id: string, text: string | null }[]} changes
   * @param {import('./journal.js').Arrival[]} arrivals
   */
  async function commit (changes, arrivals) {
    await journal.commit(tenantId, () => {
      for (const { type, id, text } of changes) {
        if (text === null) store.keys.remove([tenantId, type, id])
        else store.keys.put([tenantId, type, id], text)
      }
    }, arrivals)
  }

  async function clearKeys () {
    const all = [...entriesUnder(store.keys, [tenantId])].map(entry => entry.key)
    await store.transaction(tenantId, () => all.forEach(key => store.keys.remove(key)))
    kept.clear()
    await keys.clear?.()
  }

  /** Forget the number: identity, keys and mark. Its journal stays until judged. */
  async function wipe () {
    await store.marks.take(tenantId)
    await store.creds.remove(tenantId)
    await clearKeys()
    read()
  }

  return {
    begin,
    save,
    wipe,
    keys,
    keepSessions,
    isLinked: () => creds !== undefined && isSigned(creds),
    /** Why the identity cannot be read; undefined when it can, or when there is none. */
    fault: () => fault,
    /** @returns {{ pn: string, lid?: string } | undefined} */
    me: () => creds && isSigned(creds) ? { pn: creds.me?.id ?? '', lid: creds.me?.lid } : undefined
  }
}

/**
 * Pairing by code sets `me` long before the phone agrees, and `registered`
 * stays false after a QR: only a signed account means linked.
 *
 * @param {Creds} creds
 */
function isSigned (creds) {
  return Boolean(creds.account && creds.me?.id)
}

/** @param {Creds} creds */
function seal (creds) {
  const json = toJson(creds)
  return `${sha256(json)}\n${json}`
}

/**
 * @param {string | undefined} sealed
 * @returns {Creds | undefined}
 */
function unseal (sealed) {
  if (sealed === undefined) return undefined
  const json = sealed.slice(sealed.indexOf('\n') + 1)
  if (sealed !== `${sha256(json)}\n${json}`) throw new Error('it is cut short or garbled')
  return fromJson(json)
}

/** @param {string} text */
function sha256 (text) {
  return createHash('sha256').update(text).digest('hex')
}
