/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { visitConsole } from './console_visit.js'
import { findings, overflow, shoot } from './page_checks.js'

/** @typedef {import('playwright-core').BrowserContextOptions} Options */

const PLACES = ['settings', 'numbers', 'numbers/link', 'numbers/log-out', 'playground'].map(place => `/console/${place}`)

describe('settings, numbers and playground', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
  })

  after(() => visit?.close())

  /**
   * A page under its own policy.
   * @param {string} path
   * @param {Options} [options]
   */
  function open (path, options = {}) {
    return visit.open(path, { bypassCSP: false, ...options })
  }

  for (const javaScriptEnabled of [true, false]) {
    const how = javaScriptEnabled ? 'with scripts' : 'without scripts'

    test(`a question is answered on the playground ${how}, and then another`, async () => {
      const page = await open('/console/playground', { javaScriptEnabled })
      await page.getByLabel('Ask as a guest').fill('When is check-in?')
      await page.getByRole('button', { name: 'Send' }).click()
      const answers = page.locator('.bubble.guest')
      await answers.getByText('Check-in is from 15:00.').waitFor()
      await answers.getByText('Sources and timings').waitFor()
      await page.getByRole('button', { name: 'When is check-out?' }).click()
      await answers.nth(1).getByText('Sources and timings').waitFor()
      assert.deepEqual(await page.locator('.bubble.mine .said').allInnerTexts(), ['When is check-in?', 'When is check-out?'])
      await shoot(page, `playground-${javaScriptEnabled ? 'script' : 'plain'}`)
      await page.getByRole('button', { name: 'Start anew' }).click()
      await page.getByRole('button', { name: 'When is check-in?' }).waitFor()
      assert.equal(await answers.count(), 0)
      await page.context().close()
    })
  }

  test('what was typed stays, the fault stands at its field, and what was mended is saved', async () => {
    const page = await open('/console/settings', { bypassCSP: true })
    await page.getByLabel('Hours', { exact: true }).fill('Reception is open from 8:00 to 22:00')
    await page.getByLabel('By e-mail').fill('nobody')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('alert').getByRole('link', { name: 'By e-mail' }).click()
    const field = page.getByLabel('By e-mail')
    assert.ok(await field.evaluate(element => element === document.activeElement))
    assert.equal(await page.getByLabel('Hours', { exact: true }).inputValue(), 'Reception is open from 8:00 to 22:00')
    assert.deepEqual(await findings(page), [])
    await shoot(page, 'settings-fault')
    await field.fill('owner@hotel.example')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    assert.equal(await field.inputValue(), 'owner@hotel.example')
    await page.context().close()
  })

  test('every page says that the desk is paused until somebody resumes it', async () => {
    const page = await open('/console/')
    await page.getByRole('button', { name: 'Pause the AI' }).click()
    await page.getByText('The desk is paused: people answer.').waitFor()
    await shoot(page, 'paused')
    await page.goto(`${visit.scene.url}/console/numbers`)
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Resume' }).waitFor({ state: 'detached' })
    await page.context().close()
  })

  test('the code to scan is drawn and looked for again', async () => {
    const page = await open('/console/numbers/link')
    const code = page.getByRole('img', { name: 'QR code to scan' })
    assert.ok(await code.evaluate(image => /** @type {HTMLImageElement} */ (image).naturalWidth) > 0)
    await page.waitForResponse(answer => answer.url().endsWith('/console/numbers/link'))
    await code.waitFor()
    await shoot(page, 'link')
    await page.context().close()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`axe finds nothing in ${colorScheme}`, async () => {
      for (const path of PLACES) {
        // The policy of the pages keeps out what axe needs to run.
        const page = await open(path, { colorScheme, bypassCSP: true })
        assert.deepEqual(await findings(page), [], path)
        await shoot(page, `${path.split('/').at(-1)}-${colorScheme}`)
        await page.context().close()
      }
    })
  }

  test('nothing is cut off or scrolls sideways on a narrow screen, in both directions', async () => {
    for (const locale of ['en-GB', 'he-IL']) {
      for (const path of PLACES) {
        const page = await open(path, { viewport: { width: 320, height: 640 }, locale })
        assert.equal(await overflow(page), 0, `${path} in ${locale}`)
        if (locale === 'en-GB') await shoot(page, `${path.split('/').at(-1)}-narrow`)
        await page.context().close()
      }
    }
  })
})
