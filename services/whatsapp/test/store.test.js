import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StartError } from '../src/errors.js'
import { entriesUnder, openStore } from '../src/store.js'
import { scratchDirectory } from '../testing/scratch.js'

const HOLDER = `
  import { openStore } from ${JSON.stringify(new URL('../src/store.js', import.meta.url).href)}
  const store = openStore(process.argv[1])
  setInterval(async () => {
    await store.meta.put('beat', Date.now())
    store.meta.get('beat')
  }, 20)
  setTimeout(() => process.send('holding'), 300)`

/** A process that holds a store and works with it. @param {string} directory */
async function holder (directory) {
  const child = spawn(process.execPath, ['--input-type=module', '-e', HOLDER, directory], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await once(child, 'message')
  return child
}

test('a second process is turned away in one sentence, and let in when the first was killed', async t => {
  const directory = join(scratchDirectory(t), 'whatsapp')
  const child = await holder(directory)
  assert.throws(() => openStore(directory), error =>
    error instanceof StartError && error.message.includes(`process ${child.pid}`))
  child.kill('SIGKILL')
  await once(child, 'exit')
  const store = openStore(directory)
  await store.close()
})

test('a read after the close is refused, and ends nothing else', async t => {
  const store = openStore(join(scratchDirectory(t), 'whatsapp'))
  await store.meta.put('beat', 1)
  const closing = store.close()
  assert.throws(() => store.meta.get('beat'), /closed/)
  await closing
  assert.throws(() => store.meta.get('beat'), /closed/)
})

test('a store that is cut short is refused, not emptied', async t => {
  const directory = join(scratchDirectory(t), 'whatsapp')
  const file = join(directory, 'data.mdb')
  const store = openStore(directory)
  for (let n = 0; n < 300; n++) store.keys.put(['1', 'session', `s${n}`], 'x'.repeat(300))
  await store.creds.put('1', 'c'.repeat(3000))
  await store.close()
  const { size } = statSync(file)
  for (const part of [0.7, 0.1, 0.0005]) {
    truncateSync(file, Math.floor(size * part))
    assert.throws(() => openStore(directory), error => error instanceof StartError && /damaged/.test(error.message))
  }
})

test('a file that is no store is refused', t => {
  const directory = scratchDirectory(t)
  writeFileSync(join(directory, 'data.mdb'), 'x'.repeat(100_000))
  assert.throws(() => openStore(directory), StartError)
})

test('one tenant\'s entries do not mix with another\'s', async t => {
  const store = openStore(join(scratchDirectory(t), 'whatsapp'))
  for (const tenantId of ['1', '12', '2']) await store.journal.put([tenantId, 7], tenantId)
  assert.deepEqual([...entriesUnder(store.journal, ['1'])].map(({ value }) => value), ['1'])
  await store.close()
})
