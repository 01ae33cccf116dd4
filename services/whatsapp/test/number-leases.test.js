import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeNumberLeases } from '../src/number-leases.js'
import { sharedPostgres } from '../testing/stores.js'

const LEASE_MS = 60_000
const postgres = sharedPostgres()

/** @param {import('node:test').TestContext} t @param {string[]} [tenants] */
async function arrange (t, tenants) {
  const scratch = await postgres().database(t, tenants)
  /** @param {string} name */
  const sidecar = name => {
    const time = { now: 0, wall: 0 }
    const leases = makeNumberLeases({
      query: scratch.rows, name, url: () => `http://${name}`, leaseMs: LEASE_MS, monotonic: () => time.now, wall: () => time.wall
    })
    return { ...leases, time }
  }
  /** Let the leases of a sidecar run out. @param {string} name @param {number} agoMs */
  const expire = (name, agoMs = 1) => scratch.rows(
    'UPDATE whatsapp_numbers SET held_until = clock_timestamp() - $2 * interval \'1 ms\' WHERE owner LIKE $1 || \'%\'', [name, agoMs])
  return { scratch, a: sidecar('a'), b: sidecar('b'), expire }
}

test('of two that claim a number at once one gets it', async t => {
  const { a, b, scratch } = await arrange(t)
  const claims = await Promise.all([a.claim('1'), b.claim('1'), a.claim('2'), b.claim('2')])
  assert.equal(claims.filter(Boolean).length, 2)
  const { owner, url, is_wanted: isWanted, is_held: isHeld } = await scratch.number()
  assert.deepEqual([url, isWanted, isHeld], [`http://${owner[0]}`, true, true])
})

test('the token grows with each claim', async t => {
  const { a, b, expire } = await arrange(t)
  const first = await a.claim('1')
  assert.equal(await b.claim('1'), undefined)
  await expire('a')
  const second = await b.claim('1')
  assert.deepEqual([first?.token, second?.token], ['1', '2'])
})

test('a lease is renewed until somebody else has the number, who keeps it', async t => {
  const { a, b, expire, scratch } = await arrange(t)
  const lease = await a.claim('1')
  const other = await a.claim('2')
  assert.ok(lease && other)
  await expire('a')
  assert.deepEqual(await a.renew([lease, other]), [])
  assert.equal((await scratch.number()).is_held, true)
  await scratch.rows('UPDATE whatsapp_numbers SET held_until = \'-infinity\' WHERE tenant_id = \'1\'')
  assert.ok(await b.claim('1'))
  assert.deepEqual(await a.renew([lease, other]), [lease])
  assert.equal(await a.raise(lease), false)
  await a.release(lease, { isWanted: false })
  const { owner, is_wanted: isWanted } = await scratch.number()
  assert.deepEqual([owner, isWanted], ['b 1', true])
})

test('what an earlier claim of the same sidecar left on its way has no effect on the next', async t => {
  const { a, expire, scratch } = await arrange(t)
  const before = await a.claim('1')
  await expire('a')
  const now = await a.claim('1')
  assert.ok(before && now)
  assert.equal(await a.raise(before), false)
  assert.deepEqual(await a.renew([before]), [before])
  await a.release(before, { isWanted: false })
  const { owner, token, is_wanted: isWanted } = await scratch.number()
  assert.deepEqual([owner, token, isWanted], [now.owner, now.token, true])
})

test('our own time runs out before the database\'s, by either clock', async t => {
  const { a } = await arrange(t)
  const lease = await a.claim('1')
  assert.ok(lease)
  for (const clock of /** @type {const} */ (['now', 'wall'])) {
    a.time[clock] = LEASE_MS * 0.8
    assert.equal(a.isLive(lease), true)
    a.time[clock] = LEASE_MS * 0.9
    assert.equal(a.isLive(lease), false)
    await a.renew([lease])
    assert.equal(a.isLive(lease), true)
  }
})

test('a number that is given up is free at once, if it is still wanted', async t => {
  const { a, b, scratch } = await arrange(t)
  await a.show()
  await b.show()
  const first = await a.claim('1')
  assert.ok(first)
  assert.equal(await b.holderOf('1'), 'http://a')
  await a.release(first, { isWanted: true })
  assert.equal(await b.holderOf('1'), undefined)
  const second = await b.claimFree([])
  assert.equal(second?.tenantId, '1')
  await b.release(second, { isWanted: false })
  assert.equal(await a.claimFree([]), undefined)
  assert.equal((await scratch.number()).is_wanted, false)
  assert.ok(await a.claim('1'), 'whoever links it anew may have it')
})

test('of free numbers each sidecar takes its share at once, more only when nobody else does', async t => {
  const tenants = ['1', '2', '3', '4']
  const { a, b, scratch, expire } = await arrange(t, tenants)
  await a.show()
  await b.show()
  for (const tenantId of tenants) {
    const lease = await a.claim(tenantId)
    assert.ok(lease)
    await a.release(lease, { isWanted: true })
  }
  const mine = [await a.claimFree([]), await a.claimFree(['?'])].map(lease => lease?.tenantId ?? '')
  assert.deepEqual(mine, ['1', '2'])
  assert.equal(await a.claimFree(mine), undefined)
  const theirs = await b.claimFree([])
  assert.equal(theirs?.tenantId, '3')
  await scratch.rows('UPDATE whatsapp_numbers SET owner = \'dead\' WHERE tenant_id = \'4\'')
  await expire('dead', 3000)
  assert.equal((await a.claimFree(mine))?.tenantId, '4')
})

test('numbers that are held, or not wanted, are left alone', async t => {
  const { a, b } = await arrange(t)
  await a.claim('1')
  assert.equal(await b.claimFree([]), undefined)
})

test('a sidecar shows itself; one that has long been silent is forgotten', async t => {
  const { a, b, scratch } = await arrange(t)
  const names = async () => (await scratch.rows('SELECT name FROM whatsapp_sidecars ORDER BY 1')).map(({ name }) => name)
  await a.show()
  await b.show()
  await a.show()
  assert.deepEqual(await names(), ['a', 'b'])
  await scratch.rows('UPDATE whatsapp_sidecars SET seen_at = clock_timestamp() - interval \'1 hour\' WHERE name = \'a\'')
  await b.show()
  assert.deepEqual(await names(), ['b'])
  await b.hide()
  assert.deepEqual(await names(), [])
})
