import { disconnect, failure } from './disconnect.js'
import { node, seconds } from './nodes.js'
import { Registration } from './registration.js'
import { Session } from './session.js'

/**
 * @typedef {import('./world.js').World} World
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {import('./connection.js').Finish} Finish
 */

/**
 * Let a client in: one without an account to be paired, one with an account if its key is the one
 * that was paired.
 *
 * @param {World} world @param {Connection} connection @param {Finish} finish
 */
export function admit (world, connection, finish) {
  if (finish.payload.devicePairingData) return register(world, connection, finish)
  const pn = String(finish.payload.username ?? '')
  const companion = world.directory.byPn.get(pn)?.companions.get(finish.payload.device ?? 0)
  if (!companion?.isKnownBy(finish.noiseKey)) return refuse(world, connection, pn, 401)
  const fault = world.faults.strike('disconnect', [pn], { at: 'login' })
  if (fault?.code) return refuse(world, connection, pn, fault.code)
  if (world.faults.strike('silent', [pn], { at: 'login' })) return connection.silence()
  if (companion.connection) disconnect(companion.connection, 440)
  new Session(world, connection, companion).begin()
  connection.send(node('success', { t: seconds(), lid: companion.lidJid, location: 'sim' }))
}

/** @param {World} world @param {Connection} connection @param {Finish} finish */
function register (world, connection, finish) {
  const registration = new Registration(world, connection, finish)
  world.registrations.add(registration)
  connection.onStanza = stanza => registration.receive(stanza)
  connection.closing.push(() => world.registrations.delete(registration))
  registration.offerCodes()
}

/** @param {World} world @param {Connection} connection @param {string} pn @param {number} code */
function refuse (world, connection, pn, code) {
  world.counts.refusedLogins++
  world.events.add('host.refused', pn, { code })
  if ([401, 403, 405, 411].includes(code)) {
    connection.send(failure(code))
    connection.close()
  } else {
    disconnect(connection, code)
  }
}
