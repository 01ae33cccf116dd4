import { node } from './nodes.js'

/** @typedef {import('./connection.js').Connection} Connection */

/** The ways in which a session ends, by the status code that Baileys reports for each. */
export const DISCONNECT_CODES = [401, 403, 405, 408, 411, 428, 440, 500, 503, 515]

/** @param {Connection} connection @param {number} code one of DISCONNECT_CODES */
export function disconnect (connection, code) {
  if (code === 408) return connection.silence()
  connection.send(farewell(code))
  connection.close()
}

/** @param {number} code */
function farewell (code) {
  switch (code) {
    case 401:
      return node('stream:error', { code: '401' }, [node('conflict', { type: 'device_removed' })])
    case 403:
    case 405:
    case 411:
      return failure(code)
    case 428:
      return node('xmlstreamend')
    case 440:
      return node('stream:error', {}, [node('conflict', { type: 'replaced' })])
    default:
      return node('stream:error', { code: String(code) })
  }
}

/** The answer to a login that is not let in. @param {number} code */
export function failure (code) {
  return node('failure', { reason: String(code), location: 'sim' })
}
