/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { logIn } from './live_desk.js'
import { serious, shoot, wider } from './page_checks.js'
import { startPython } from './python_process.js'

// An answer is on the page once it was heard to its end.
const WITHIN = { timeout: 60_000 }
const PLAYGROUND = '/console/playground'
const CALL = { name: 'Call the desk' }
const HANG_UP = { name: 'Hang up' }

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').Page} Page
 * @typedef {object} Kept
 * @property {string} id
 * @property {string} ended_because
 * @property {number} turns
 * @property {number} recordings
 * @property {number} notices to staff
 */

describe('calls from the playground', () => {
  const python = startPython('tests.browser.serve_call')
  /** @type {{url: string, name: string, password: string, microphone: string}} */
  let desk
  /** @type {Browser} */
  let browser
  /** @type {Browser[]} */
  const others = []

  before(async () => {
    desk = await python.next()
    browser = await startBrowser([
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${desk.microphone}%noloop`
    ])
  })

  after(async () => {
    await Promise.all([browser, ...others].map(one => one?.close()))
    await python.stop()
  })

  test('staff ask aloud, hear the answer, read both and hang up', async () => {
    const page = await open(browser)
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    const line = page.waitForEvent('websocket')
    await page.getByRole('button', CALL).click()
    const heard = audioOf(await line)
    await reaches(page, 'speaking')
    await page.locator('.bubble.mine', { hasText: 'When is breakfast?' }).waitFor(WITHIN)
    await reaches(page, 'speaking')
    await page.locator('.bubble.mine + .bubble.guest .said', { hasText: /\d/ }).waitFor(WITHIN)
    await shoot(page, 'call')
    const mute = page.getByRole('button', { name: 'Mute the microphone' })
    await mute.click()
    assert.equal(await mute.getAttribute('aria-pressed'), 'true')
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'call-muted')
    await page.getByRole('button', HANG_UP).click()
    assert.equal(await page.getByRole('status').innerText(), 'You have hung up.')
    await page.getByRole('button', CALL).waitFor()
    assert.ok(await page.evaluate(() => document.activeElement?.textContent === 'Call the desk'))
    // Two sentences at least, of mu-law.
    assert.ok(heard.bytes > 16_000, `${heard.bytes} bytes came back`)
    assert.ok(heard.marks > 0)
    assert.deepEqual(complaints, [])
    await page.locator('.call', { hasText: ', ' }).waitFor(WITHIN)
    await shoot(page, 'call-ended')

    const [call] = await calls(call => call.ended_because !== '')
    assert.match(call.id, /^test-/)
    assert.equal(call.ended_because, 'completed')
    assert.ok(call.turns >= 2)
    assert.equal(call.recordings, 0)
    assert.equal(call.notices, 0)
    await page.context().close()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`the page fits a narrow window and keeps nobody out in ${colorScheme}`, async () => {
      const page = await open(browser, { viewport: { width: 320, height: 640 }, colorScheme, bypassCSP: true })
      await page.getByRole('button', CALL).waitFor()
      assert.deepEqual(await serious(page), [])
      assert.deepEqual(await wider(page), [])
      assert.ok(await page.getByRole('button', HANG_UP).isHidden())
      await shoot(page, `call-narrow-${colorScheme}`)
      await page.context().close()
    })
  }

  test('a browser without a microphone says what to do, and places no call', async () => {
    const deaf = await startBrowser()
    others.push(deaf)
    const page = await open(deaf)
    await page.getByRole('button', CALL).click()
    await page.getByRole('status').filter({ hasText: /microphone/ }).waitFor(WITHIN)
    await page.getByRole('button', CALL).waitFor()
    await shoot(page, 'call-no-microphone')
    assert.equal((await calls()).length, 1)
  })

  test('while the realtime process is away there is a sentence and no button, until it is back', async () => {
    const page = await open(browser)
    await page.getByRole('button', CALL).waitFor()
    await tell({ realtime: 'stop' })
    await page.getByText('Nobody answers calls now').waitFor(WITHIN)
    await page.getByRole('button', CALL).waitFor({ state: 'hidden' })
    await tell({ realtime: 'start' })
    await page.getByRole('button', CALL).waitFor(WITHIN)
    assert.equal(await page.getByRole('status').innerText(), '')
    await page.context().close()
  })

  /** @param {Browser} browser @param {import('playwright-core').BrowserContextOptions} [options] */
  async function open (browser, options = {}) {
    const page = await (await logIn(browser, desk, desk, options)).newPage()
    await page.goto(desk.url + PLAYGROUND)
    return page
  }

  /** @param {Record<string, string>} what */
  async function tell (what) {
    const told = python.next()
    python.tell(what)
    return told
  }

  /**
   * What came of the calls, once it is so of the last.
   * @param {(call: Kept) => boolean} [isSo]
   * @returns {Promise<Kept[]>}
   */
  async function calls (isSo = () => true) {
    for (;;) {
      const kept = await tell({ calls: '' })
      if (isSo(kept[kept.length - 1])) return kept
    }
  }
})

/** @param {Page} page @param {string} state */
function reaches (page, state) {
  return page.locator(`#calling[data-state=${state}]`).waitFor(WITHIN)
}

/** What comes over the line. @param {import('playwright-core').WebSocket} line */
function audioOf (line) {
  const heard = { bytes: 0, marks: 0 }
  line.on('framereceived', ({ payload }) => {
    const { event, media } = JSON.parse(String(payload))
    if (event === 'media') heard.bytes += Buffer.from(media.payload, 'base64').length
    if (event === 'mark') heard.marks++
  })
  return heard
}
