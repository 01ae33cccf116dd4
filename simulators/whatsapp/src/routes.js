import { disconnect } from './disconnect.js'
import { SimulatorError } from './errors.js'
import { Guest, readManner } from './guest.js'
import { HostPhone } from './host-phone.js'
import { enterCode, scan } from './pairing.js'

/**
 * @typedef {import('./world.js').World} World
 * @typedef {import('./directory.js').Account} Account
 * @typedef {{world: World, params: string[], query: URLSearchParams, body: Record<string, any>}} Call
 * @typedef {{method: string, path: RegExp, status: number, run: (call: Call) => unknown}} Route
 */

const LONGEST_WAIT_MS = 60_000

/** @type {Route[]} */
export const ROUTES = [
  route('POST /hosts', 201, addHost),
  route('GET /hosts/:pn', 200, call => hostOf(call).state()),
  route('POST /hosts/:pn/scan', 200, async call => paired(await scan(call.world, hostOf(call).account, text(call, 'qr')))),
  route('POST /hosts/:pn/enter-code', 200, async call =>
    paired(await enterCode(call.world, hostOf(call).account, text(call, 'code')))),
  route('POST /hosts/:pn/send', 200, sendFromHost),
  route('POST /hosts/:pn/unlink', 200, unlink),
  route('POST /guests', 201, addGuest),
  route('PATCH /guests/:pn', 200, changeGuest),
  route('GET /guests', 200, listGuests),
  route('GET /guests/:pn', 200, call => guestOf(call).state()),
  route('POST /guests/:pn/pass-on', 201, passOnNumber),
  route('POST /guests/:pn/send', 202, sendFromGuest),
  route('POST /guests/:pn/typing', 202, call => guestOf(call).type(hostNamed(call, text(call, 'to')).account, text(call, 'state'))),
  route('POST /guests/:pn/forget-sessions', 200, call => guestOf(call).endpoint.forgetSessions()),
  route('GET /events', 200, readEvents),
  route('POST /faults', 201, addFault),
  route('DELETE /faults', 200, call => call.world.faults.clear()),
  route('GET /state', 200, readState)
]

/** @param {string} line method and path @param {number} status @param {(call: Call) => unknown} run @returns {Route} */
function route (line, status, run) {
  const [method = '', path = ''] = line.split(' ')
  return { method, path: new RegExp(`^${path.replaceAll(/:\w+/g, '([^/]+)')}$`), status, run }
}

/** @param {Call} call */
function addHost ({ world, body }) {
  const account = world.directory.register(body)
  new HostPhone(world, account)
  return card(account)
}

/** @param {Call} call */
function addGuest ({ world, body }) {
  const manner = readManner(body)
  const account = world.directory.register(body)
  return { ...card(account), ...new Guest(world, account, manner).manner }
}

/** All phones of guests, those included whose number has passed on. @param {Call} call */
function listGuests ({ world }) {
  const phones = [...world.directory.byLid.values()].map(({ phone }) => phone)
  return { guests: phones.filter(phone => phone instanceof Guest).map(phone => phone.state()) }
}

/** The number gets a new owner, with a phone and a LID of their own. @param {Call} call */
function passOnNumber (call) {
  const { world, body } = call
  const { account } = guestOf(call)
  const manner = readManner(body)
  const successor = world.directory.passOn(account, body)
  return { ...card(successor), ...new Guest(world, successor, manner).manner }
}

/** @param {Call} call */
function changeGuest (call) {
  const guest = guestOf(call)
  guest.change(readManner(call.body))
  return { ...card(guest.account), ...guest.manner }
}

/** @param {Call} call */
function sendFromHost (call) {
  return hostOf(call).send(guestNamed(call, text(call, 'to')), text(call, 'text'), givenId(call))
}

/** @param {Call} call */
function sendFromGuest (call) {
  givenId(call)
  return guestOf(call).send(hostNamed(call, text(call, 'to')).account, call.body)
}

/** @param {Call} call */
function unlink (call) {
  const { account } = hostOf(call)
  const { deviceId } = call.body
  for (const [id, companion] of account.companions) {
    if (deviceId !== undefined && deviceId !== id) continue
    account.companions.delete(id)
    if (companion.connection) disconnect(companion.connection, 401)
    call.world.events.add('host.unlinked', account.pn, { deviceId: id, by: 'phone' })
  }
  return { pn: account.pn, devices: [...account.companions.keys()] }
}

/** @param {Call} call */
function readEvents ({ world, query }) {
  return world.events.read({
    after: count(query, 'after'),
    timeoutMs: Math.min(count(query, 'timeout_ms'), LONGEST_WAIT_MS),
    type: query.get('type') ?? undefined,
    pn: query.get('pn') ?? undefined
  })
}

/** Some faults strike at once, the others wait for their chance. @param {Call} call */
function addFault ({ world, body }) {
  if (body.pn !== undefined) accountOf(world, body.pn)
  const fault = world.faults.add(body)
  const strike = fault.at === undefined || fault.at === 'now' ? AT_ONCE[fault.kind] : undefined
  if (strike) {
    world.faults.remove(fault)
    for (const connection of connectionsOf(world, fault.pn)) strike(connection, fault)
  }
  return { id: fault.id }
}

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @type {Record<string, (connection: Connection, fault: import('./faults.js').Fault) => void>}
 */
const AT_ONCE = {
  disconnect: (connection, { code = 408 }) => disconnect(connection, code),
  silent: connection => connection.silence(),
  withhold: connection => connection.withhold()
}

/** @param {World} world @param {string | undefined} pn */
function connectionsOf (world, pn) {
  const accounts = pn ? [accountOf(world, pn)] : [...world.directory.byPn.values()]
  return accounts.flatMap(account => [...account.companions.values()].flatMap(one => one.connection ?? []))
}

/** @param {Call} call */
function readState ({ world }) {
  return {
    connections: world.connections.size,
    registrations: world.registrations.size,
    faults: world.faults.waiting,
    lastEvent: world.events.seq,
    ...world.counts
  }
}

/** @param {Account} account */
function card ({ pn, lid, name }) {
  return { pn, lid, name }
}

/** @param {import('./companion.js').Companion} companion */
function paired ({ deviceId }) {
  return { deviceId }
}

/** @param {World} world @param {string} pn */
function accountOf (world, pn) {
  const account = world.directory.byPn.get(pn)
  if (!account) throw new SimulatorError(404, `nobody has the number ${pn}`)
  return account
}

/** @param {Call} call */
function hostOf (call) {
  return hostNamed(call, call.params[0] ?? '')
}

/** @param {Call} call */
function guestOf (call) {
  return guestNamed(call, call.params[0] ?? '')
}

/** @param {Call} call @param {string} pn */
function hostNamed ({ world }, pn) {
  const { phone } = accountOf(world, pn)
  if (!(phone instanceof HostPhone)) throw new SimulatorError(404, `${pn} is not a host`)
  return phone
}

/** @param {Call} call @param {string} pn */
function guestNamed ({ world }, pn) {
  const { phone } = accountOf(world, pn)
  if (!(phone instanceof Guest)) throw new SimulatorError(404, `${pn} is not a guest`)
  return phone
}

/** @param {Call} call @param {string} field @returns {string} */
function text ({ body }, field) {
  const value = body[field]
  if (typeof value !== 'string' || value === '') throw new SimulatorError(422, `${field} is missing, or not a string`)
  return value
}

/** @param {Call} call @returns {string | undefined} */
function givenId (call) {
  return call.body.id === undefined ? undefined : text(call, 'id')
}

/** @param {URLSearchParams} query @param {string} field */
function count (query, field) {
  const value = Number(query.get(field) ?? 0)
  if (!Number.isInteger(value) || value < 0) throw new SimulatorError(422, `${field} is a whole number, 0 or more`)
  return value
}
