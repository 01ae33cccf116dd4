import { Conflict, NotFound, NotHere } from './errors.js'

/**
 * Which numbers are ours to serve. There are two kinds: of a sidecar alone, and
 * of several that share a database.
 *
 * @typedef {import('./number-leases.js').Lease} Lease
 * @typedef {object} Serving what is done with a number
 * @property {(tenantId: string) => unknown} connect it is linked and has always been ours
 * @property {(tenantId: string) => unknown} take it comes, linked or not: its store can be used from now on
 * @property {(tenantId: string) => Promise<unknown>} leave it goes; resolves when its socket is closed
 * @property {(tenantId: string) => boolean} isIdle not linked, nobody is linking it, and nothing of it is left to do
 * @typedef {object} Numbers
 * @property {(serving: Serving) => void} start
 * @property {(tenantId: string) => Promise<void>} hold make the number ours; throws Conflict if it is another's
 * @property {(tenantId: string) => boolean} isHeld
 * @property {(tenantId: string) => () => boolean} watch whether the number has been ours ever since
 * @property {(tenantId: string) => Promise<string | undefined>} holderOf where the sidecar listens that has the number
 * @property {() => Promise<void>} stop
 */

const LOOK_EVERY_MS = 1000
const RENEWALS = 4
/** Two sidecars that were started together should not look at the same time. */
const SCATTER = 0.3
/** SQLSTATE of a tenant that does not exist. */
const FOREIGN_KEY = '23503'

/**
 * All numbers of a store that nobody else uses.
 *
 * @param {() => string[]} linked tenants
 * @returns {Numbers}
 */
export function makeOwnNumbers (linked) {
  return {
    start: ({ connect }) => linked().forEach(connect),
    hold: async () => {},
    isHeld: () => true,
    watch: () => () => true,
    holderOf: async () => undefined,
    stop: async () => {}
  }
}

/**
 * The numbers of one sidecar among several. One that we lose is closed before
 * its lease is over, and what it had not saved is given up.
 *
 * @param {object} deps
 * @param {import('./number-leases.js').NumberLeases} deps.leases
 * @param {Pick<import('./postgres-store.js').PostgresStore, 'load' | 'unload'>} deps.store
 * @param {number} deps.leaseMs
 * @param {import('./clock.js').Clock} deps.clock
 * @param {import('./logger.js').Logger} deps.logger
 * @returns {Numbers & { lose: (tenantId: string, error: unknown) => void }}
 */
export function makeSharedNumbers ({ leases, store, leaseMs, clock, logger }) {
  /** @type {Map<string, Lease>} tenant → the lease that its socket and writes stand on */
  const held = new Map()
  /** @type {Set<Lease>} of numbers that are being read, which takes a while for a large one */
  const coming = new Set()
  /** @type {Map<string, Promise<void>>} tenant → the coming or going that is under way */
  const changing = new Map()
  /** @type {Set<() => void>} */
  const timers = new Set()
  /** @type {Set<Promise<void>>} */
  const running = new Set()
  /** @type {Serving} */
  let serving = { connect: () => {}, take: () => {}, leave: async () => {}, isIdle: () => false }
  let stopped = false

  /** @param {Serving} given */
  function start (given) {
    serving = given
    repeat(leaseMs / RENEWALS, renew)
    repeat(LOOK_EVERY_MS, look)
  }

  /**
   * @param {number} everyMs
   * @param {() => Promise<void>} run
   */
  function repeat (everyMs, run) {
    const round = run().catch(reportFailure).finally(() => {
      running.delete(round)
      if (!stopped) later(everyMs * (1 - SCATTER * clock.random()), () => repeat(everyMs, run))
    })
    running.add(round)
  }

  /**
   * @param {number} delayMs
   * @param {() => void} run
   */
  function later (delayMs, run) {
    const cancel = clock.after(delayMs, () => {
      timers.delete(cancel)
      run()
    })
    timers.add(cancel)
    return cancel
  }

  async function renew () {
    await leases.show()
    const all = [...held.values(), ...coming]
    const lost = all.length > 0 ? await leases.renew(all) : []
    for (const lease of lost) {
      if (held.get(lease.tenantId) === lease) lose(lease.tenantId, new NotHere())
    }
  }

  /** Give up what nobody wants, take what nobody has. */
  async function look () {
    for (const tenantId of [...held.keys()]) {
      if (serving.isIdle(tenantId)) await leave(tenantId, { isWanted: false })
    }
    while (!stopped) {
      const lease = await leases.claimFree([...held.keys(), ...changing.keys()])
      if (!lease) return
      await change(lease.tenantId, () => take(lease))
    }
  }

  /**
   * Let one coming or going of a number end before the next begins.
   *
   * @param {string} tenantId
   * @param {() => Promise<void>} run
   */
  function change (tenantId, run) {
    const before = changing.get(tenantId) ?? Promise.resolve()
    const done = before.catch(() => {}).then(run).finally(() => {
      if (changing.get(tenantId) === done) changing.delete(tenantId)
    })
    changing.set(tenantId, done)
    return done
  }

  /** @param {Lease} lease */
  async function take (lease) {
    const { tenantId } = lease
    coming.add(lease)
    try {
      await store.load(lease)
    } catch (error) {
      await leases.release(lease, { isWanted: true }).catch(reportFailure)
      throw error
    } finally {
      coming.delete(lease)
    }
    held.set(tenantId, lease)
    expire(lease)
    logger.info({ event: 'number_claimed', tenantId, token: lease.token })
    await serving.take(tenantId)
  }

  /**
   * Close a number whose lease could not be renewed, as long as it is still ours.
   *
   * @param {Lease} lease
   */
  function expire (lease) {
    later(Math.max(0, leases.remainingMs(lease)), () => {
      if (held.get(lease.tenantId) !== lease) return
      if (leases.remainingMs(lease) > 0) expire(lease)
      else lose(lease.tenantId, new Error('the database did not renew the lease in time'))
    })
  }

  /**
   * @param {string} tenantId
   * @param {unknown} error why
   */
  function lose (tenantId, error) {
    if (!held.delete(tenantId)) return
    logger.error({ event: 'number_lost', alert: true, tenantId, error: /** @type {Error} */ (error).message })
    change(tenantId, () => clear(tenantId)).catch(reportFailure)
  }

  /** @param {string} tenantId */
  async function clear (tenantId) {
    // First the socket: what is rejected then must find no way to tell WhatsApp about it.
    await serving.leave(tenantId)
    await store.unload(tenantId)
  }

  /**
   * Give a number back.
   *
   * @param {string} tenantId
   * @param {{ isWanted: boolean }} options
   */
  async function leave (tenantId, { isWanted }) {
    const lease = held.get(tenantId)
    if (!lease) return
    held.delete(tenantId)
    await change(tenantId, async () => {
      await clear(tenantId)
      await leases.release(lease, { isWanted })
      logger.info({ event: 'number_released', tenantId })
    })
  }

  /**
   * @param {string} tenantId
   * @throws {Conflict | NotFound}
   */
  async function hold (tenantId) {
    await changing.get(tenantId)?.catch(() => {})
    if (isHeld(tenantId)) return
    const lease = await claim(tenantId)
    if (!lease) throw new Conflict('another sidecar holds this number')
    await change(tenantId, () => take(lease))
  }

  /** @param {string} tenantId */
  async function claim (tenantId) {
    try {
      return await leases.claim(tenantId)
    } catch (error) {
      const { code } = /** @type {import('pg').DatabaseError} */ (error)
      throw code === FOREIGN_KEY ? new NotFound(`there is no tenant ${tenantId}`) : error
    }
  }

  /** @param {string} tenantId */
  function isHeld (tenantId) {
    const lease = held.get(tenantId)
    return lease !== undefined && leases.isLive(lease)
  }

  /** @param {string} tenantId */
  function watch (tenantId) {
    const lease = held.get(tenantId)
    return () => lease !== undefined && held.get(tenantId) === lease && leases.isLive(lease)
  }

  /** Another sidecar may go on at once. */
  async function stop () {
    stopped = true
    for (const cancel of timers) cancel()
    await Promise.allSettled([...running, ...changing.values()])
    await Promise.allSettled([...held.keys()].map(tenantId => leave(tenantId, { isWanted: true })))
    await leases.hide().catch(reportFailure)
  }

  /** @param {Error} error */
  function reportFailure (error) {
    logger.warn({ event: 'numbers_failure', error: error.message })
  }

  return { start, hold, isHeld, watch, holderOf: leases.holderOf, lose, stop }
}
