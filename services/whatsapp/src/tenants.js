import { NotHere } from './errors.js'

/**
 * All numbers of this process.
 *
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {ReturnType<typeof makeTenants>} Tenants
 */

/**
 * @param {object} deps
 * @param {(tenantId: string) => Connection} deps.makeConnection
 * @param {import('./numbers.js').Numbers} deps.numbers
 */
export function makeTenants ({ makeConnection, numbers }) {
  /** @type {Map<string, Connection>} */
  const connections = new Map()

  /** @param {string} tenantId */
  function connectionOf (tenantId) {
    const connection = connections.get(tenantId) ?? makeConnection(tenantId)
    connections.set(tenantId, connection)
    return connection
  }

  /** Connect a number that was linked before. @param {string} tenantId */
  function resume (tenantId) {
    const connection = connectionOf(tenantId)
    if (connection.state() !== 'blocked') connection.connect()
  }

  /**
   * @param {string} tenantId
   * @param {string} [phone] digits, to link by code
   * @throws {import('./errors.js').Conflict} another sidecar holds the number
   */
  async function connect (tenantId, phone) {
    await numbers.hold(tenantId)
    const connection = connectionOf(tenantId)
    connection.connect(phone)
    return connection.state()
  }

  /** @param {string} tenantId */
  async function logOut (tenantId) {
    await numbers.hold(tenantId)
    await connections.get(tenantId)?.logOut()
    connections.delete(tenantId)
  }

  /** Close a number's socket and forget its state. @param {string} tenantId */
  async function leave (tenantId) {
    await connections.get(tenantId)?.stop()
    connections.delete(tenantId)
  }

  /** @param {string} tenantId */
  async function look (tenantId) {
    if (numbers.isHeld(tenantId)) return connections.get(tenantId)?.look() ?? { tenantId, state: 'disconnected' }
    const url = await numbers.holderOf(tenantId)
    return { tenantId, state: 'disconnected', ...(url && { url }) }
  }

  /**
   * @param {string} tenantId
   * @throws {NotHere}
   */
  function check (tenantId) {
    if (!numbers.isHeld(tenantId)) throw new NotHere()
  }

  return {
    hold: numbers.hold,
    resume,
    connect,
    logOut,
    leave,
    look,
    check,
    /** @param {string} tenantId */
    stateOf: tenantId => connections.get(tenantId)?.state() ?? 'disconnected',
    /** @param {string} tenantId */
    findSocket: tenantId => numbers.isHeld(tenantId) ? connections.get(tenantId)?.openSocket() : undefined,
    health: () => [...connections.values()].map(connection => connection.health()),
    stop: () => Promise.allSettled([...connections.values()].map(connection => connection.stop()))
  }
}
