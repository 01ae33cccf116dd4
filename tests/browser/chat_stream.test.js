/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { startPython } from './python_process.js'

const PATH = '/api/v1/chat/stream'

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').Page} Page
 */

describe('the chat API in a browser', () => {
  /** @type {Browser} */
  let browser
  /** @type {Awaited<ReturnType<typeof startServer>>} */
  let server

  before(async () => {
    server = await startServer()
    browser = await startBrowser()
  })

  after(async () => {
    await browser?.close()
    await server?.stop()
  })

  test('a stream is read word by word, and taken up again after a cut', async () => {
    const page = await open()
    const first = read(page, {}, 1)
    server.tell({ await: true }, { say: 'From ' })
    const seen = await first
    assert.deepEqual(seen.map(event => event.data), [{ text: 'From ' }])
    // The reader has gone away; what is said meanwhile is not lost.
    server.tell({ say: '15:00' }, { say: ' בערב.' }, { end: 'From 15:00 בערב.' })
    const rest = await read(page, { 'Last-Event-ID': seen[0].id })
    const last = rest.at(-1)
    assert.equal(last?.event, 'done')
    assert.equal(last?.data.reply, 'From 15:00 בערב.')
    assert.equal(shown([...seen, ...rest]), 'From 15:00 בערב.')
    await page.context().close()
  })

  test('words are there before the answer is whole', async () => {
    const page = await open()
    const reading = read(page, {}, 2)
    server.tell({ await: true }, { say: 'One ' })
    await page.waitForFunction(() => document.title === '1')
    server.tell({ say: 'two' })
    assert.equal((await reading).map(event => event.data.text).join(''), 'One two')
    server.tell({ end: 'One two' })
    await page.context().close()
  })

  test('a socket takes its key in the first message', async () => {
    const page = await open()
    const conversation = page.evaluate(async ({ key, url }) => {
      const socket = new WebSocket(url)
      /** @type {any[]} */
      const frames = []
      await new Promise(resolve => socket.addEventListener('open', resolve))
      socket.send(JSON.stringify({ type: 'auth', key }))
      socket.send(JSON.stringify({ type: 'message', conversation: 'socket', message: 'Hello' }))
      await new Promise(resolve => socket.addEventListener('message', ({ data }) => {
        frames.push(JSON.parse(data))
        if (frames.at(-1).type === 'done') resolve(null)
      }))
      socket.close()
      return frames
    }, { key: server.key, url: server.url.replace('http', 'ws') + '/ws/chat' })
    server.tell({ await: true }, { say: 'שלום' }, { end: 'שלום' })
    const frames = await conversation
    assert.equal(frames[0].type, 'ready')
    assert.equal(frames.at(-1).reply, 'שלום')
    await page.context().close()
  })

  /** A page of the server's own, from which its API may be called. */
  async function open () {
    const page = await (await browser.newContext()).newPage()
    await page.goto(`${server.url}/livez`)
    return page
  }

  /**
   * Read events by `fetch` and its stream, to the end or so many; the title counts them.
   * @param {Page} page
   * @param {Record<string, string>} headers
   * @param {number} [most]
   * @returns {Promise<Array<{id: string, event: string, data: any}>>}
   */
  function read (page, headers, most = Infinity) {
    return page.evaluate(async ({ path, key, headers, most }) => {
      const leaving = new AbortController()
      const answer = await fetch(path, {
        method: 'POST',
        signal: leaving.signal,
        headers: { 'Authorization': `Bearer ${key}`, 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ tenant: '1', conversation: 'browser', message: 'When?' })
      })
      if (!answer.ok || !answer.body) throw new Error(await answer.text())
      /** @type {any[]} */
      const events = []
      let unread = ''
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
      while (events.length < most) {
        const { done, value } = await reader.read()
        if (done) return events
        const blocks = (unread + value).split('\n\n')
        unread = blocks.pop() ?? ''
        for (const block of blocks.filter(each => !each.startsWith(':'))) {
          const fields = Object.fromEntries(block.split('\n').map(line => {
            const at = line.indexOf(': ')
            return [line.slice(0, at), line.slice(at + 2)]
          }))
          events.push({ ...fields, data: JSON.parse(fields.data) })
          document.title = String(events.length)
        }
      }
      leaving.abort()
      return events
    }, { path: PATH, key: server.key, headers, most: Math.min(most, 1000) })
  }
})

/** @param {Array<{event: string, data: any}>} events */
function shown (events) {
  return events.reduce((text, { event, data }) => {
    if (event === 'replace') return data.text
    return event === 'token' ? text + data.text : text
  }, '')
}

/** The realtime server in a process of its own; see serve_chat.py. */
async function startServer () {
  const python = startPython('tests.browser.serve_chat')
  /** @type {{url: string, key: string}} */
  const { url, key } = await python.next()
  return {
    url,
    key,
    /** @param {Array<Record<string, unknown>>} lines */
    tell (...lines) {
      lines.forEach(python.tell)
    },
    stop: python.stop
  }
}
