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
  const broken = { WHATSAPP_PORT: 'x', SERVER_URL: 'ftp://a', WHATSAPP_SOCKET_URL: 'http://a', WHATSAPP_VERSION: '2', LOG_LEVEL: 'loud' }
  assert.throws(() => readConfig(broken), error => {
    for (const name of Object.keys(broken)) assert.match(/** @type {Error} */ (error).message, new RegExp(name))
    return true
  })
})

test('an empty setting is an absent one', () => {
  assert.equal(readConfig({ WHATSAPP_PORT: '', WHATSAPP_SOCKET_URL: '' }).port, 3300)
})

test('LOG_LEVEL takes the names that the web process takes', () => {
  const levels = ['CRITICAL', 'warning', 'INFO'].map(LOG_LEVEL => readConfig({ LOG_LEVEL }).logLevel)
  assert.deepEqual(levels, ['fatal', 'warn', 'info'])
})
