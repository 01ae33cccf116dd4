import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { secretCheck, sharedSecret } from '../src/secret.js'
import { scratchDirectory } from '../testing/scratch.js'

const run = promisify(execFile)

test('the secret is made once, for the owner\'s eyes only, and leaves no drafts behind', t => {
  const directory = scratchDirectory(t)
  const secret = sharedSecret(directory)
  assert.match(secret, /^[0-9a-f]{64}$/)
  assert.equal(sharedSecret(directory), secret)
  assert.equal(statSync(join(directory, 'internal-secret')).mode & 0o777, 0o600)
  assert.deepEqual(readdirSync(directory), ['internal-secret'])
})

test('processes that race to make the secret agree on one', async t => {
  const directory = scratchDirectory(t)
  const script = `import { sharedSecret } from ${JSON.stringify(new URL('../src/secret.js', import.meta.url).href)}
    process.stdout.write(sharedSecret(process.argv[1]))`
  const racers = Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script, directory]))
  const secrets = (await Promise.all(racers)).map(({ stdout }) => stdout)
  assert.equal(new Set(secrets).size, 1)
})

test('a secret that another process wrote is used as it stands', t => {
  const directory = scratchDirectory(t)
  writeFileSync(join(directory, 'internal-secret'), 'from-flask\n')
  assert.equal(sharedSecret(directory), 'from-flask')
})

test('an empty secret file is a fault, not a secret', t => {
  const directory = scratchDirectory(t)
  writeFileSync(join(directory, 'internal-secret'), '')
  assert.throws(() => sharedSecret(directory), /is empty/)
})

test('only the whole secret is accepted', () => {
  const isSecret = secretCheck('right')
  assert.equal(isSecret('right'), true)
  for (const wrong of ['', 'righ', 'right ', 'wrong', undefined, ['right']]) assert.equal(isSecret(wrong), false)
})
