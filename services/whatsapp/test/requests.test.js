import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Invalid } from '../src/errors.js'
import { parsePhone, parseSend, parseTenantId, parseTyping } from '../src/requests.js'

const SEND = { tenantId: '1', to: '7@lid', text: 'Hello' }

test('a send needs a tenant, a person and a text, and each fault names its field', () => {
  assert.deepEqual(parseSend(SEND), SEND)
  const faults = {
    tenantId: ['', 'a/b', 7, undefined, 'x'.repeat(65)],
    to: ['', '12@g.us', 'status@broadcast', '1@newsletter', '+97250', 7, undefined, 'x@lid'],
    text: ['', '  ', 7, undefined, 'x'.repeat(65_537)],
    messageId: ['', 'a b', 7, 'x'.repeat(129)],
    quoted: ['x', 7]
  }
  for (const [field, values] of Object.entries(faults)) {
    for (const value of values) {
      assert.throws(() => parseSend({ ...SEND, [field]: value }), error =>
        error instanceof Invalid && error.message.startsWith(field), `${field}: ${value}`)
    }
  }
})

test('addresses are taken as they came, with or without a device', () => {
  for (const to of ['972501234567@s.whatsapp.net', '7:3@lid']) assert.equal(parseSend({ ...SEND, to }).to, to)
})

test('a quote needs the id and the text of a message', () => {
  const quoted = { id: 'A', text: 'Breakfast?' }
  assert.deepEqual(parseSend({ ...SEND, quoted }).quoted, { ...quoted, fromMe: false })
  assert.throws(() => parseSend({ ...SEND, quoted: { id: 'A' } }), /quoted\.text/)
  assert.throws(() => parseSend({ ...SEND, quoted: { text: 'x' } }), /quoted\.id/)
})

test('typing is composing, paused or recording', () => {
  assert.equal(parseTyping({ tenantId: '1', to: '7@lid', state: 'recording' }).state, 'recording')
  assert.throws(() => parseTyping({ tenantId: '1', to: '7@lid', state: 'available' }), /state/)
})

test('a phone number has its country code, with or without plus and spaces', () => {
  assert.equal(parsePhone({ phone: '+972 50-123-4567' }), '972501234567')
  assert.equal(parsePhone({}), undefined)
  for (const phone of ['', '0501234567', 'abc', 97250]) assert.throws(() => parsePhone({ phone }), Invalid)
})

test('a tenant id is safe as a file name', () => {
  for (const id of ['.', '..', 'a/b', 'a\0b', 'a.b']) assert.throws(() => parseTenantId(id), Invalid)
  assert.equal(parseTenantId('Hotel_7-b'), 'Hotel_7-b')
})
