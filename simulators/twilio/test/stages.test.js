import assert from 'node:assert/strict'
import { test } from 'node:test'

import { following, said } from '../talk/stages.js'

/** @typedef {import('../talk/stages.js').Stage} Stage */

/** @param {Array<[string, string]>} happened */
function stages (...happened) {
  /** @type {Stage[]} */
  const passed = ['ringing']
  for (const [kind, detail] of happened) passed.push(following(passed[passed.length - 1], { at: 0, kind, detail }))
  return passed.slice(1)
}

test('a call on the media socket', () => {
  assert.deepEqual(
    stages(['document', 'Connect Redirect'], ['answered', ''], ['stream-open', 'wss://x'], ['ended', 'completed']),
    ['ringing', 'talking', 'stream', 'ended']
  )
})

test('a call whose socket breaks goes on sentence by sentence, and ends with a message', () => {
  assert.deepEqual(
    stages(['stream-open', ''], ['stream-closed', 'by network'], ['document', 'Gather Redirect'],
      ['document', 'Say Record'], ['recorded', '3 s']),
    ['stream', 'talking', 'sentences', 'message', 'message']
  )
})

test('a caller is put through before the call is picked up, and after', () => {
  assert.deepEqual(
    stages(['document', 'Dial'], ['dial', '+972'], ['answered', ''], ['bridged', '+972'], ['dialled', 'completed']),
    ['ringing', 'transfer', 'transfer', 'transfer', 'talking']
  )
})

test('the words of a Say are told with their language', () => {
  assert.deepEqual(said({ at: 1, kind: 'say', detail: '[he-IL] שלום [1]\nלך' }), { language: 'he-IL', text: 'שלום [1]\nלך' })
  assert.equal(said({ at: 1, kind: 'caller-says', detail: '[en] x' }), null)
})
