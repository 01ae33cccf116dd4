import assert from 'node:assert/strict'
import { test } from 'node:test'
import { makeLibraryLogger } from '../src/logger.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

test('text, addresses and keys are redacted even where somebody logs them', () => {
  const { logger, events } = makeQuietLogger()
  logger.info({ event: 'x', text: 'secret words', creds: { noiseKey: 'k' }, note: { to: '972501234567@s.whatsapp.net' } })
  assert.doesNotMatch(JSON.stringify(events), /secret words|noiseKey|9725/)
})

test('an error is logged without the numbers in its words', () => {
  const { logger, events } = makeQuietLogger()
  logger.error({ event: 'x', error: 'no session for 972501234567.0' })
  assert.equal(events[0].error, 'no session for #.0')
})

test('of what the library logs only the sentence is kept, without its numbers', () => {
  const { logger, events } = makeQuietLogger()
  const library = makeLibraryLogger(logger, 'warn')
  library.child().warn({ key: { remoteJid: '972501234567@s.whatsapp.net' }, privKey: 'k' }, 'mapping 972501234567 -> 8001@lid')
  library.error('failed for 972501234567')
  library.info('not at this level')
  assert.deepEqual(events.map(({ note }) => note), ['mapping # -> 8001@lid', 'failed for #'])
  assert.doesNotMatch(JSON.stringify(events), /remoteJid|privKey/)
})

test('the library is silent unless asked otherwise', () => {
  const { logger, events } = makeQuietLogger()
  makeLibraryLogger(logger, 'silent').error('anything')
  assert.deepEqual(events, [])
})
