import { makeCache } from './cache.js'
import { shortId } from './journal.js'
import { entriesUnder, removeWhere } from './store.js'

/**
 * How often Baileys has asked for a message again, or was asked for one. The
 * limits that it keeps hold across a restart and a move to another sidecar.
 */

const KEPT_FOR_MS = 60 * 60 * 1000
const LIMIT = 10_000

/**
 * @param {object} deps
 * @param {import('./store.js').Store} deps.store
 * @param {string} deps.tenantId
 * @param {() => number} deps.now
 * @param {(error: Error) => void} deps.onFailure
 */
export function makeRetryCounters ({ store: { retries }, tenantId, now, onFailure }) {
  // What is on its way to the disk; null: deleted.
  const recent = makeCache({ limit: LIMIT, ttlMs: KEPT_FOR_MS, now })
  const keyOf = (/** @type {string} */ name) => [tenantId, shortId(name)]

  /** @param {string} name */
  function get (name) {
    const latest = recent.get(name)
    if (latest !== undefined) return latest ?? undefined
    const kept = retries.get(keyOf(name))
    return kept && kept.atMs > now() - KEPT_FOR_MS ? kept.count : undefined
  }

  /**
   * @param {string} name
   * @param {any} count
   */
  function set (name, count) {
    recent.set(name, count)
    retries.put(keyOf(name), { count, atMs: now() }).catch(onFailure)
  }

  /** @param {string} name */
  function del (name) {
    recent.set(name, null)
    retries.remove(keyOf(name)).catch(onFailure)
  }

  return { get, set, del, flushAll: recent.flushAll }
}

/**
 * Forget the counters that name somebody: Baileys calls them by a message's id and whoever has it.
 *
 * @param {import('./store.js').Store} store
 * @param {string} tenantId
 * @param {(jid: string) => boolean} isTheirs
 */
export async function forgetRetryCounters ({ retries, transaction }, tenantId, isTheirs) {
  await transaction(tenantId, () => {
    for (const { key } of [...entriesUnder(retries, [tenantId])]) {
      if (endingsOf(key[1]).some(isTheirs)) retries.remove(key)
    }
  })
}

/** An id and a JID may have colons in them too. @param {string} name */
function endingsOf (name) {
  const parts = name.split(':')
  return parts.map((_, place) => parts.slice(place).join(':'))
}

/**
 * @param {import('./store.js').Store} store
 * @param {number} nowMs
 */
export function pruneRetryCounters (store, nowMs) {
  return removeWhere(store, store.retries, ({ atMs }) => atMs < nowMs - KEPT_FOR_MS)
}
