/**
 * Which sidecar holds which number, in the database's time (`whatsapp_numbers`).
 *
 * A claim raises the number's token, and every write of a number's store checks
 * owner and token in its own statement (the fence): who has lost a number
 * cannot write to it, however late it notices.
 *
 * @typedef {object} Lease
 * @property {string} tenantId
 * @property {string} owner of this claim alone: what an earlier claim of the same process left on its way has no effect
 * @property {string} token
 * @property {number} untilMs when it runs out for us, by a clock that only goes on
 * @property {number} untilWallMs the same by the wall clock: a machine that slept knows only by that one
 * @typedef {ReturnType<typeof makeNumberLeases>} NumberLeases
 */

/** We let go of a number a little before others may have it: closing a socket takes time. */
const OURS = 7 / 8
/** A sidecar with its share of numbers leaves a free one to the others for so long. */
const MODESTY_MS = 2000

const UNTIL = 'clock_timestamp() + $1 * interval \'1 ms\''

const CLAIM = `
  INSERT INTO whatsapp_numbers AS number (tenant_id, is_wanted, owner, url, held_until, token)
  VALUES ($4, true, $2, $3, ${UNTIL}, 1)
  ON CONFLICT (tenant_id) DO UPDATE SET is_wanted = true, owner = excluded.owner, url = excluded.url,
    held_until = excluded.held_until, token = number.token + 1
  WHERE number.owner IS NULL OR number.held_until < clock_timestamp()
  RETURNING tenant_id, token`

const CLAIM_FREE = `
  UPDATE whatsapp_numbers SET owner = $2, url = $3, held_until = ${UNTIL}, token = token + 1
  WHERE tenant_id = (
    SELECT tenant_id FROM whatsapp_numbers
    WHERE is_wanted AND NOT tenant_id = ANY ($6)
      AND coalesce(held_until, '-infinity') < clock_timestamp() - CASE
        WHEN $4 * (SELECT count(*) FROM whatsapp_sidecars
                   WHERE seen_at > clock_timestamp() - $1 * interval '1 ms')
          < (SELECT count(*) FROM whatsapp_numbers WHERE is_wanted)
        THEN interval '0' ELSE $5 * interval '1 ms' END
    ORDER BY held_until NULLS FIRST, tenant_id LIMIT 1
    FOR UPDATE SKIP LOCKED)
  RETURNING tenant_id, token`

const RENEW = `
  UPDATE whatsapp_numbers number SET held_until = ${UNTIL}
  FROM unnest($2::text[], $3::text[]) AS held (tenant_id, owner)
  WHERE number.tenant_id = held.tenant_id AND number.owner = held.owner RETURNING number.tenant_id`

const RAISE = `
  UPDATE whatsapp_numbers SET token = token + 1 WHERE tenant_id = $1 AND owner = $2 RETURNING token`

// A free number keeps the time since when, for those that wait longer.
const RELEASE = `
  UPDATE whatsapp_numbers SET owner = NULL, url = NULL, held_until = clock_timestamp(), is_wanted = is_wanted AND $3
  WHERE tenant_id = $1 AND owner = $2`

const HOLDER = `
  SELECT url FROM whatsapp_numbers WHERE tenant_id = $1 AND owner IS NOT NULL AND held_until > clock_timestamp()`

const SHOW = `
  INSERT INTO whatsapp_sidecars AS sidecar (name, url, seen_at) VALUES ($1, $2, clock_timestamp())
  ON CONFLICT (name) DO UPDATE SET seen_at = clock_timestamp()`

const BURY = `
  DELETE FROM whatsapp_sidecars WHERE seen_at < clock_timestamp() - 10 * $1 * interval '1 ms'`

/**
 * @param {object} deps
 * @param {import('./database.js').Query} deps.query
 * @param {string} deps.name of this process, never used before
 * @param {() => string} deps.url where Flask reaches this sidecar
 * @param {number} deps.leaseMs
 * @param {() => number} [deps.monotonic] ms
 * @param {() => number} [deps.wall] epoch ms
 */
export function makeNumberLeases ({ query, name, url, leaseMs, monotonic = () => performance.now(), wall = Date.now }) {
  let claims = 0

  /**
   * Take a number, if nobody holds it. It is wanted from now on.
   *
   * @param {string} tenantId
   */
  function claim (tenantId) {
    return taken(CLAIM, owner => [leaseMs, owner, url(), tenantId])
  }

  /**
   * Take a wanted number that nobody holds, if there is one for us.
   *
   * @param {string[]} held by this sidecar
   */
  function claimFree (held) {
    return taken(CLAIM_FREE, owner => [leaseMs, owner, url(), held.length, MODESTY_MS, held])
  }

  /**
   * @param {string} statement
   * @param {(owner: string) => unknown[]} valuesFor
   * @returns {Promise<Lease | undefined>}
   */
  async function taken (statement, valuesFor) {
    const bounds = boundsFromNow()
    const owner = `${name} ${++claims}`
    const [row] = await query(statement, valuesFor(owner))
    return row && { tenantId: row.tenant_id, owner, token: row.token, ...bounds }
  }

  /** As seen before the database is asked, and so never later than there. */
  function boundsFromNow () {
    return { untilMs: monotonic() + leaseMs * OURS, untilWallMs: wall() + leaseMs * OURS }
  }

  /**
   * Hold on to *leases* for as long again.
   *
   * @param {Lease[]} leases
   * @returns {Promise<Lease[]>} those that somebody else has taken
   */
  async function renew (leases) {
    const bounds = boundsFromNow()
    const rows = await query(RENEW, [
      leaseMs, leases.map(({ tenantId }) => tenantId), leases.map(({ owner }) => owner)
    ])
    const kept = new Set(rows.map(row => row.tenant_id))
    for (const lease of leases) {
      if (kept.has(lease.tenantId)) Object.assign(lease, bounds)
    }
    return leases.filter(({ tenantId }) => !kept.has(tenantId))
  }

  /**
   * Make void what was sent under the lease's token and never answered: it may
   * still arrive.
   *
   * @param {Lease} lease
   * @returns {Promise<boolean>} false: somebody else has the number
   */
  async function raise (lease) {
    const [row] = await query(RAISE, [lease.tenantId, lease.owner])
    if (row) lease.token = row.token
    return row !== undefined
  }

  /**
   * @param {Lease} lease
   * @param {{ isWanted: boolean }} options false: nobody else shall take it either
   */
  async function release ({ tenantId, owner }, { isWanted }) {
    await query(RELEASE, [tenantId, owner, isWanted])
  }

  /** Say that this sidecar is there; forget those that have long been silent. */
  async function show () {
    await query(SHOW, [name, url()])
    await query(BURY, [leaseMs])
  }

  /** This sidecar ends. */
  async function hide () {
    await query('DELETE FROM whatsapp_sidecars WHERE name = $1', [name])
  }

  /**
   * @param {string} tenantId
   * @returns {Promise<string | undefined>} where the sidecar listens that holds the number
   */
  async function holderOf (tenantId) {
    const [row] = await query(HOLDER, [tenantId])
    return row?.url ?? undefined
  }

  /** @param {Lease} lease */
  function isLive ({ untilMs, untilWallMs }) {
    return monotonic() < untilMs && wall() < untilWallMs
  }

  return {
    name,
    claim,
    claimFree,
    renew,
    raise,
    release,
    show,
    hide,
    holderOf,
    isLive,
    /** @param {Lease} lease */
    remainingMs: ({ untilMs }) => untilMs - monotonic()
  }
}
