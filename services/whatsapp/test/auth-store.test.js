import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { linkedTenants, makeAuthStore } from '../src/auth-store.js'
import { makeJournal } from '../src/journal.js'
import { openStore } from '../src/store.js'
import { makeFakeClock } from '../testing/fake-clock.js'
import { scratchDirectory } from '../testing/scratch.js'
import { onEachStore } from '../testing/stores.js'

/** @param {import('../src/store.js').Store} store */
const authOf = store =>
  makeAuthStore({ store, journal: makeJournal({ store, clock: makeFakeClock(), onFailure: assert.ifError }), tenantId: '1' })

/** Link a number, as the phone would. @param {import('../src/store.js').Store} store */
async function linked (store) {
  const auth = authOf(store)
  const creds = await auth.begin()
  Object.assign(creds, { me: { id: '972501234567:3@s.whatsapp.net', lid: '7:3@lid' }, account: { details: Buffer.from('d') } })
  await auth.save()
  return creds
}

onEachStore(open => {
  test('a linked identity survives a restart, keys as bytes', async t => {
    const { store } = await open(t)
    const before = await linked(store)
    const auth = authOf(store)
    const after = await auth.begin()
    assert.deepEqual(Buffer.from(after.noiseKey.private), Buffer.from(before.noiseKey.private))
    assert.deepEqual(auth.me(), { pn: '972501234567:3@s.whatsapp.net', lid: '7:3@lid' })
    assert.deepEqual(linkedTenants(store), ['1'])
  })

  test('an identity that the phone has not signed is not kept', async t => {
    const { store } = await open(t)
    const auth = authOf(store)
    const first = await auth.begin()
    first.me = { id: '972501234567@s.whatsapp.net' }
    await auth.save()
    assert.equal(auth.isLinked(), false)
    assert.equal(store.creds.get('1'), undefined)
    assert.notEqual((await auth.begin()).advSecretKey, first.advSecretKey)
  })

  for (const [how, damage] of /** @type {[string, (sealed: string) => string][]} */ ([
    ['cut short', sealed => sealed.slice(0, 500)],
    ['empty', () => ''],
    ['garbled in one letter', sealed => sealed.replace('noiseKey', 'noiseKex')],
    ['something else', () => 'x\n{}']
  ])) {
    test(`an identity that is ${how} is never replaced by a new one`, async t => {
      const { store } = await open(t)
      await linked(store)
      await store.creds.put('1', damage(store.creds.get('1')))
      const auth = authOf(store)
      assert.match(auth.fault() ?? '', /cut short or garbled/)
      await assert.rejects(auth.begin(), /cannot be read/)
    })
  }

  test('wiping forgets identity and keys, so that the number can be linked anew', async t => {
    const { store } = await open(t)
    await linked(store)
    const auth = authOf(store)
    await auth.keys.set({ session: { 's.0': new Uint8Array([1]) } })
    await auth.wipe()
    assert.equal(auth.fault(), undefined)
    assert.deepEqual(linkedTenants(store), [])
    assert.deepEqual(await authOf(store).keys.get('session', ['s.0']), {})
  })

  test('keys of every type are read back as they were written, and null deletes', async t => {
    const { store } = await open(t)
    const auth = authOf(store)
    await auth.keys.set({
      'session': { 's.0': new Uint8Array([1, 2, 3]) },
      'lid-mapping': { 972501234567: '7' },
      'device-list': { 7: ['0', '3'] },
      'app-state-sync-key': { k: { keyData: Buffer.from('key') } },
      'tctoken': { '7@lid': { token: Buffer.from('t'), timestamp: '5' } }
    })
    const fresh = authOf(store).keys
    assert.deepEqual(Buffer.from((await fresh.get('session', ['s.0']))['s.0']), Buffer.from([1, 2, 3]))
    assert.deepEqual(await fresh.get('lid-mapping', ['972501234567']), { 972501234567: '7' })
    assert.deepEqual(await fresh.get('device-list', ['7']), { 7: ['0', '3'] })
    assert.equal((await fresh.get('app-state-sync-key', ['k'])).k.constructor.name, 'AppStateSyncKeyData')
    assert.deepEqual((await fresh.get('tctoken', ['7@lid']))['7@lid'], { token: Buffer.from('t'), timestamp: '5' })
    await fresh.set({ session: { 's.0': null } })
    assert.equal((await fresh.get('session', ['s.0']))['s.0'] ?? null, null)
    assert.deepEqual(await authOf(store).keys.get('session', ['s.0']), {})
  })
})

test('an identity that is gone although the number was linked is a fault too', async t => {
  const directory = join(scratchDirectory(t), 'whatsapp')
  const store = openStore(directory)
  await linked(store)
  await store.close()
  rmSync(join(directory, 'data.mdb'))
  const emptied = openStore(directory)
  assert.deepEqual(linkedTenants(emptied), ['1'])
  assert.match(authOf(emptied).fault() ?? '', /gone/)
  await emptied.close()
})
