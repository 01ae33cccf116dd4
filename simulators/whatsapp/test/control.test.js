import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { makeBench } from '../testing/bench.js'

const bench = await makeBench()
const HOST = '390630000001'
const GUEST = '972530000001'
await bench.call('/hosts', { pn: HOST })
await bench.call('/guests', { pn: GUEST })

/** @type {[string, string, object | undefined, number, RegExp][]} */
const REFUSED = [
  ['GET', '/nowhere', undefined, 404, /there is no \/nowhere/],
  ['DELETE', '/hosts', undefined, 405, /takes POST/],
  ['POST', '/hosts', { pn: '+39 06' }, 422, /6 to 15 digits/],
  ['POST', '/hosts', { pn: HOST }, 409, /registered already/],
  ['POST', '/guests', { pn: '972530000099', addressing: 'mail' }, 422, /lid or pn/],
  ['PATCH', `/guests/${GUEST}`, { hideAlternative: 'yes' }, 422, /true or false/],
  ['GET', '/guests/123456', undefined, 404, /nobody has/],
  ['GET', `/guests/${HOST}`, undefined, 404, /not a guest/],
  ['GET', `/hosts/${GUEST}`, undefined, 404, /not a host/],
  ['POST', `/hosts/${HOST}/scan`, {}, 422, /qr is missing/],
  ['POST', `/hosts/${HOST}/scan`, { qr: 'hello' }, 422, /not a WhatsApp QR code/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST }, 422, /text is missing/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST, kind: 'poem' }, 422, /kind is one of/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST, text: 'x', in: 'attic' }, 422, /in is one of/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST, kind: 'reaction', text: 'x' }, 422, /needs quoted/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST, text: 'x', id: 7 }, 422, /id is missing, or not a string/],
  ['POST', `/guests/${GUEST}/send`, { to: HOST, kind: 'contact', name: 7 }, 422, /a field has a wrong type/],
  ['POST', `/guests/${GUEST}/typing`, { to: HOST, state: 'dancing' }, 422, /state is one of/],
  ['POST', '/faults', { kind: 'flood' }, 422, /kind is one of drop/],
  ['POST', '/faults', { kind: 'drop', ms: 5 }, 422, /has no field ms/],
  ['POST', '/faults', { kind: 'delay' }, 422, /needs ms/],
  ['POST', '/faults', { kind: 'disconnect', code: 499 }, 422, /needs a code: 401/],
  ['POST', '/faults', { kind: 'ack-error' }, 422, /needs a code/],
  ['POST', '/faults', { kind: 'drop', probability: 2 }, 422, /probability/],
  ['POST', '/faults', { kind: 'silent', pn: '123456' }, 404, /nobody has/],
  ['GET', '/events?after=x', undefined, 422, /after is a whole number/]
]

for (const [method, path, body, status, message] of REFUSED) {
  test(`${method} ${path} ${body ? JSON.stringify(body) : ''} is refused with ${status}`, async () => {
    const answer = await bench.call(path, body, method)
    assert.equal(answer.status, status)
    assert.match(answer.error, message)
  })
}

test('a refused guest is not registered', async () => {
  assert.equal((await bench.call('/guests', { pn: '972530000099' })).status, 201)
})

test('a body that is no JSON object is refused', async () => {
  for (const body of ['{', '[]', '"x"']) {
    const response = await fetch(`${bench.simulator.controlUrl}/hosts`, { method: 'POST', body })
    assert.equal(response.status, 400)
  }
})

test('a question for events waits for one, and goes on from where it was', async () => {
  const { next } = await bench.call('/events')
  const asked = bench.call(`/events?after=${next}&timeout_ms=5000&type=test.happened`)
  bench.simulator.world.events.add('test.other', HOST)
  bench.simulator.world.events.add('test.happened', HOST, { what: 'it' })
  const { events, next: later } = await asked
  assert.deepEqual(events.map((/** @type {any} */ { what, pn }) => [what, pn]), [['it', HOST]])
  assert.deepEqual((await bench.call(`/events?after=${later}&timeout_ms=20`)).events, [])
})

test('faults can be forgotten', async () => {
  await bench.call('/faults', { kind: 'drop', count: 5 })
  assert.equal((await bench.call('/state')).faults.length, 1)
  await bench.call('/faults', undefined, 'DELETE')
  assert.deepEqual((await bench.call('/state')).faults, [])
})

const INDEX = fileURLToPath(new URL('../src/index.js', import.meta.url))

/** @param {string[]} args */
function run (...args) {
  const child = spawn(process.execPath, [INDEX, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { out: '', err: '' }
  child.stdout.on('data', data => {
    output.out += data
  })
  child.stderr.on('data', data => {
    output.err += data
  })
  return { child, output }
}

test('the program prints one line when it is ready, serves, and ends at SIGTERM', async () => {
  const { child, output } = run('--seed', '7')
  await once(child.stdout, 'data')
  const { ready, socketUrl, controlUrl, rootKey } = JSON.parse(output.out)
  assert.equal(ready, true)
  assert.match(socketUrl, /^ws:\/\/127\.0\.0\.1:\d+\/ws\/chat$/)
  assert.equal(rootKey, bench.simulator.rootKey, 'the same seed makes the same keys')
  assert.equal((await fetch(`${controlUrl}/state`)).status, 200)
  child.kill('SIGTERM')
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
  assert.equal(output.out.trim().split('\n').length, 1)
  assert.equal(output.err, '')
})

test('the program explains itself, and names a wrong argument', async () => {
  const help = run('--help')
  await once(help.child, 'close')
  assert.match(help.output.out, /usage: node simulators/)
  const wrong = run('--port', 'many')
  const [code] = await once(wrong.child, 'close')
  assert.equal(code, 1)
  assert.match(wrong.output.err, /--port is a number/)
})
