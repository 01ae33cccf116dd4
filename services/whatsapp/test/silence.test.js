import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTables } from '../src/store.js'
import { GUEST, HOST, makeWorld } from '../testing/sidecar-world.js'

/** Every private key under a value, as hex. @param {any} value @returns {string[]} */
function privateKeys (value) {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, part]) => {
    if (!['private', 'privKey', 'advSecretKey'].includes(name)) return privateKeys(part)
    return [Buffer.from(typeof part === 'string' ? part : part.data, 'base64').toString('hex')]
  })
}

test('decrypt failures and session churn print no key, no text and no number', async t => {
  const world = await makeWorld(t)
  const sidecar = await world.sidecar({ LOG_LEVEL: 'debug', WHATSAPP_LIBRARY_LOG_LEVEL: 'trace' })
  await world.link(sidecar)
  const { lid } = await world.control('POST /guests', { pn: GUEST })
  await world.guestWrites('my secret words')
  await sidecar.send({ to: `${lid}@lid`, text: 'our secret words', messageId: 'S1' })
  await world.guestWrites('broken', { broken: true })
  await world.control(`POST /guests/${GUEST}/forget-sessions`, {})
  await world.guestWrites('in a new session')
  await sidecar.send({ to: `${lid}@lid`, text: 'our secret words again', messageId: 'S2' })
  await world.control(`POST /guests/${GUEST}/forget-sessions`, {})
  await world.guestWrites('in yet another session')
  await world.server.until(() => world.server.messages.length === 4)
  await sidecar.kill('SIGTERM')

  const output = sidecar.output()
  assert.match(output, /"event":"library"/, 'the library was logged at all')
  const store = openTables(sidecar.directory)
  const json = store.creds.get('1').split('\n')[1]
  const secrets = privateKeys(JSON.parse(json))
  assert.ok(secrets.length >= 4)
  const prekeys = [...store.keys.getRange()].filter(({ key }) => /** @type {string[]} */ (key)[1] === 'pre-key')
  for (const { value } of prekeys) secrets.push(...privateKeys(JSON.parse(value)))
  await store.close()
  assert.ok(secrets.length > 500)
  for (const secret of secrets) {
    const bytes = Buffer.from(secret, 'hex')
    for (const form of [secret, bytes.toString('base64'), [...bytes].join(','), [...bytes.subarray(0, 8)].join(', ')]) {
      assert.ok(!output.includes(form), 'a private key was printed')
    }
  }
  assert.doesNotMatch(output, /privKey|SessionEntry|<Buffer/)
  assert.doesNotMatch(output, /secret words|new session"/)
  assert.ok(!output.includes(HOST) && !output.includes(GUEST) && !output.includes(lid))
})
