/**
 * A cache that forgets the least recently used beyond `limit` entries, and all
 * after `ttlMs`. It has the methods that Baileys asks of its caches.
 *
 * @param {{ limit: number, ttlMs: number, now?: () => number, keeps?: (key: string) => boolean }} options
 *   `keeps` false: such keys are never held
 */
export function makeCache ({ limit, ttlMs, now = Date.now, keeps = () => true }) {
  /** @type {Map<string, { value: any, until: number }>} */
  const entries = new Map()

  /** @param {string} key */
  function get (key) {
    const entry = entries.get(key)
    if (!entry) return undefined
    entries.delete(key)
    if (entry.until <= now()) return undefined
    entries.set(key, entry)
    return entry.value
  }

  /**
   * @param {string} key
   * @param {any} value
   */
  function set (key, value) {
    if (!keeps(key)) return
    entries.delete(key)
    entries.set(key, { value, until: now() + ttlMs })
    if (entries.size > limit) entries.delete(/** @type {string} */ (entries.keys().next().value))
  }

  return { get, set, del: (/** @type {string} */ key) => void entries.delete(key), flushAll: () => entries.clear() }
}
