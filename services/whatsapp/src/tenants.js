/**
 * All numbers of this process.
 *
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {ReturnType<typeof makeTenants>} Tenants
 */

/**
 * @param {{ makeConnection: (tenantId: string) => Connection }} deps
 */
export function makeTenants ({ makeConnection }) {
  /** @type {Map<string, Connection>} */
  const connections = new Map()

  /** @param {string} tenantId */
  function connectionOf (tenantId) {
    const connection = connections.get(tenantId) ?? makeConnection(tenantId)
    connections.set(tenantId, connection)
    return connection
  }

  /**
   * Connect the numbers that were linked before.
   *
   * @param {string[]} tenantIds
   */
  function resume (tenantIds) {
    for (const tenantId of tenantIds) {
      const connection = connectionOf(tenantId)
      if (connection.state() !== 'blocked') connection.connect()
    }
  }

  /**
   * @param {string} tenantId
   * @param {string} [phone] digits, to link by code
   */
  function connect (tenantId, phone) {
    const connection = connectionOf(tenantId)
    connection.connect(phone)
    return connection.state()
  }

  /** @param {string} tenantId */
  async function logOut (tenantId) {
    await connections.get(tenantId)?.logOut()
    connections.delete(tenantId)
  }

  return {
    resume,
    connect,
    logOut,
    /** @param {string} tenantId */
    look: tenantId => connections.get(tenantId)?.look() ?? { tenantId, state: 'disconnected' },
    /** @param {string} tenantId */
    findSocket: tenantId => connections.get(tenantId)?.openSocket(),
    health: () => [...connections.values()].map(connection => connection.health()),
    stop: () => Promise.allSettled([...connections.values()].map(connection => connection.stop()))
  }
}
