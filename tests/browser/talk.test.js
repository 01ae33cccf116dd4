/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { shoot } from './page_checks.js'
import { startPython } from './python_process.js'

const WITHIN = { timeout: 60_000 }
const DESKTOP = { width: 1000, height: 720 }
const PHONE = { width: 390, height: 844 }

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {object} CameOf
 * @property {string} status
 * @property {string[]} notices what Twilio would complain of
 * @property {number} marks that the browser has played to
 * @property {number} spoken_s of voice that the network got from the microphone
 * @property {string[]} words as the desk logged them
 * @property {string[]} told
 */

describe('the page to talk to the desk', () => {
  /** @type {Awaited<ReturnType<typeof startDesk>>} */
  let desk
  /** @type {import('playwright-core').Browser} */
  let browser

  before(async () => {
    desk = await startDesk()
    browser = await startBrowser([
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-audio-capture=${desk.microphone}%noloop`
    ])
  })

  after(async () => {
    await browser?.close()
    await desk?.stop()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`the page keeps to its own rules and to a phone's width in ${colorScheme}`, async () => {
      const page = await (await browser.newContext({ viewport: PHONE, colorScheme })).newPage()
      /** @type {string[]} */
      const complaints = []
      page.on('console', message => complaints.push(message.text()))
      page.on('response', response => {
        if (response.status() >= 400) complaints.push(response.url())
      })
      await page.goto(desk.url)
      await page.getByRole('button', { name: '#' }).waitFor()
      assert.deepEqual(complaints, [])
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth))
      await shoot(page, `talk-${colorScheme}`)
      await page.context().close()
    })
  }

  test('a caller hears the greeting, asks into the microphone, hears the answer and hangs up', async () => {
    const page = await (await browser.newContext({ viewport: DESKTOP })).newPage()
    await page.goto(desk.url)
    await page.getByRole('button', { name: 'Call' }).click()
    await reaches(page, 'stream')
    await page.waitForFunction(heardFor, 1, WITHIN)
    await page.waitForFunction(() => /** @type {HTMLMeterElement} */ (document.querySelector('#spoke')).value > 0.1,
      null, WITHIN)
    const greeted = await page.evaluate(() => parseFloat(document.querySelector('#heard-for')?.textContent ?? ''))
    await page.waitForFunction(heardFor, greeted + 1, WITHIN)
    await shoot(page, 'talk-stream')
    await page.getByRole('button', { name: 'Hang up' }).click()
    await reaches(page, 'ended')
    const events = await page.locator('#events li').allInnerTexts()
    assert.ok(events.some(event => event.includes('hang-up by the caller')), events.join('\n'))
    assert.ok(await page.getByRole('button', { name: 'Call' }).isEnabled())
    await page.context().close()

    const [call] = await desk.stop()
    assert.deepEqual(call.words, ['When is breakfast?'])
    assert.match(call.told[0], /^Hello/)
    assert.match(call.told[1], /\w+ \w+/)
    assert.equal(call.status, 'completed')
    assert.deepEqual(call.notices, [])
    assert.ok(call.marks >= 1)
    // The file has 1.2 s of voice.
    assert.ok(Math.abs(call.spoken_s - 1.2) < 0.2, `${call.spoken_s} s of voice arrived`)
  })
})

/** @param {number} seconds */
function heardFor (seconds) {
  return parseFloat(document.querySelector('#heard-for')?.textContent ?? '') >= seconds
}

/** @param {Page} page @param {string} stage */
function reaches (page, stage) {
  return page.waitForFunction(wanted => document.body.dataset.stage === wanted, stage, WITHIN)
}

/** The desk with its page in a process of its own; see serve_talk.py. */
async function startDesk () {
  const python = startPython('tests.browser.serve_talk')
  /** @type {{url: string, microphone: string}} */
  const { url, microphone } = await python.next()
  /** @type {Promise<CameOf[]> | undefined} */
  let stopped

  return {
    url,
    microphone,
    /** What came of the calls. */
    stop () {
      stopped ??= (async () => {
        const told = python.next()
        await python.stop()
        return told
      })()
      return stopped
    }
  }
}
