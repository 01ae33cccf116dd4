import { banRisk } from './ban-risk.js'
import { makeBehaviour } from './behaviour.js'
import { makePace } from './pace.js'
import { makeRhythm } from './rhythm.js'
import { entriesUnder } from './store.js'

/**
 * How each number conducts itself: its week's rhythm, its pace and what it risks.
 *
 * @param {object} deps
 * @param {import('./store.js').Store} deps.store
 * @param {import('./pace.js').Limits} deps.limits
 * @param {import('./clock.js').Clock} deps.clock
 * @param {(error: Error) => void} deps.onFailure a write that nobody waits for has failed
 */
export function makeConduct ({ store, limits, clock, onFailure }) {
  /** @type {Map<string, ReturnType<typeof makeRhythm>>} */
  const rhythms = new Map()
  const behaviour = makeBehaviour({ hasWritten, clock })

  /** @param {string} tenantId whose history is read anew: another sidecar may have gone on with it */
  function rhythmOf (tenantId) {
    const key = [tenantId, 'rhythm']
    const rhythm = makeRhythm({
      load: () => store.meta.get(key),
      save: history => void store.meta.put(key, history).catch(onFailure),
      clock
    })
    rhythms.set(tenantId, rhythm)
    return rhythm
  }

  /**
   * As far back as the journal knows.
   *
   * @param {string} tenantId
   * @param {string} jid
   */
  function hasWritten (tenantId, jid) {
    for (const { key } of entriesUnder(store.known, [tenantId, jid])) {
      const [, , fromMe] = key
      if (!fromMe) return true
    }
    return false
  }

  /** @param {string} tenantId @returns {number | undefined} epoch ms */
  const linkedAt = tenantId => rhythms.get(tenantId)?.since()

  return {
    rhythmOf,
    behaviour,
    pace: makePace({ limits, linkedAt, clock }),
    /** @param {string} tenantId */
    banRiskOf: tenantId => banRisk(behaviour.of(tenantId, linkedAt(tenantId) ?? clock.now()))
  }
}
