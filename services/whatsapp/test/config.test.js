import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../src/config.js'

test('without any setting the sidecar listens on loopback and talks to Flask on its default port', () => {
  const config = readConfig({})
  assert.equal(config.port, 3300)
  assert.equal(config.host, '127.0.0.1')
  assert.equal(config.serverUrl, 'http://127.0.0.1:5000')
  assert.equal(config.dataDir, 'var')
  assert.equal(config.secret, undefined)
  assert.equal(config.socketUrl, undefined)
  assert.equal(config.announce, 'turn')
})

test('Flask\'s address follows PORT unless SERVER_URL says otherwise', () => {
  assert.equal(readConfig({ PORT: '8080' }).serverUrl, 'http://127.0.0.1:8080')
  assert.equal(readConfig({ PORT: '8080', SERVER_URL: 'https://desk.example/' }).serverUrl, 'https://desk.example')
})

test('a WhatsApp version is three numbers', () => {
  assert.deepEqual(readConfig({ WHATSAPP_VERSION: '2.3000.1043857760' }).version, [2, 3000, 1043857760])
})

test('every fault is named at once', () => {
  const broken = { WHATSAPP_PORT: 'x', SERVER_URL: 'ftp://a', WHATSAPP_SOCKET_URL: 'http://a', WHATSAPP_VERSION: '2', LOG_LEVEL: 'loud', DATABASE_URL: 'mysql://a/b', LEASE_S: '0', WHATSAPP_ADVERTISE_URL: 'a:1' }
  assert.throws(() => readConfig(broken), error => {
    for (const name of Object.keys(broken)) assert.match(/** @type {Error} */ (error).message, new RegExp(name))
    return true
  })
})

test('PostgreSQL may be named in any way that Python knows, SQLite means a store of one\'s own', () => {
  for (const scheme of ['postgres', 'postgresql', 'postgresql+psycopg2']) {
    const { databaseUrl } = readConfig({ DATABASE_URL: `${scheme}://u:p@db:5432/desk?sslmode=require` })
    assert.equal(databaseUrl, 'postgresql://u:p@db:5432/desk?sslmode=require')
  }
  for (const DATABASE_URL of [undefined, '', 'sqlite:///var/frontdesk.db']) {
    assert.equal(readConfig({ DATABASE_URL }).databaseUrl, undefined)
  }
})

test('a number\'s lease is given in seconds', () => {
  assert.deepEqual([readConfig({}).leaseMs, readConfig({ LEASE_S: '2.5' }).leaseMs], [8000, 2500])
})

test('an empty setting is an absent one', () => {
  assert.equal(readConfig({ WHATSAPP_PORT: '', WHATSAPP_SOCKET_URL: '' }).port, 3300)
})

test('LOG_LEVEL takes the names that the web process takes', () => {
  const levels = ['CRITICAL', 'warning', 'INFO'].map(LOG_LEVEL => readConfig({ LOG_LEVEL }).logLevel)
  assert.deepEqual(levels, ['fatal', 'warn', 'info'])
})

test('the pace is limited by default, without a limit on another server than WhatsApp\'s, and as it is set', () => {
  assert.deepEqual(readConfig({}).pace, { sendsPerMinute: 240, warmUpDays: 7 })
  assert.equal(readConfig({ WHATSAPP_SOCKET_URL: 'ws://127.0.0.1:1/ws/chat' }).pace.sendsPerMinute, 0)
  const set = { WHATSAPP_SENDS_PER_MINUTE: '60', WHATSAPP_WARM_UP_DAYS: '0' }
  assert.deepEqual(readConfig(set).pace, { sendsPerMinute: 60, warmUpDays: 0 })
  assert.throws(() => readConfig({ WHATSAPP_SENDS_PER_MINUTE: 'many' }), /WHATSAPP_SENDS_PER_MINUTE must be a whole number/)
})

test('media are fetched from WhatsApp unless told otherwise, up to 16 MiB within 15 s', () => {
  assert.deepEqual(readConfig({}).media, { origin: undefined, mostBytes: 16 * 1024 * 1024, timeLimitMs: 15_000 })
  const set = { WHATSAPP_MEDIA_URL: 'http://127.0.0.1:4000/', WHATSAPP_MEDIA_MAX_MB: '0.5', WHATSAPP_MEDIA_TIMEOUT_S: '3' }
  assert.deepEqual(readConfig(set).media, { origin: 'http://127.0.0.1:4000', mostBytes: 512 * 1024, timeLimitMs: 3000 })
  const broken = { WHATSAPP_MEDIA_URL: 'ftp://a', WHATSAPP_MEDIA_MAX_MB: '0', WHATSAPP_MEDIA_TIMEOUT_S: 'long' }
  for (const [name, value] of Object.entries(broken)) {
    assert.throws(() => readConfig({ [name]: value }), new RegExp(name))
  }
})
