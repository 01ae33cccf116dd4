/// <reference lib="dom" />
/* global document, getComputedStyle */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { DESKTOP, ZOOMED_FOUR_TIMES, logIn, visitConsole } from './console_visit.js'
import { overflow, serious, shoot, wider } from './page_checks.js'

/**
 * @typedef {import('playwright-core').BrowserContextOptions} Options
 * @typedef {import('playwright-core').Page} Page
 */

const PAGES = [['overview', '/console/overview'], ['report', '/console/report']]

describe('overview and morning report', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit
  /** @type {Options['storageState']} */
  let busy

  before(async () => {
    visit = await visitConsole()
    const door = await visit.openAnonymous('/console/login')
    await logIn(door, visit.scene.busy)
    busy = await door.context().storageState()
    await door.context().close()
  })

  after(() => visit?.close())

  /** Open a page of the business that has had two busy weeks. @param {string} path @param {Options} [options] */
  function open (path, options = {}) {
    return visit.openAnonymous(path, { storageState: busy, ...options })
  }

  test('who waits is on the overview and leads to the conversation', async () => {
    const page = await open('/console/overview')
    const waiting = page.locator('.people .entries li')
    assert.equal(await waiting.count(), 4)
    await waiting.last().getByRole('link').click()
    await page.getByRole('heading', { level: 1, name: 'Maya Rosen' }).waitFor()
    await page.context().close()
  })

  test('a plot has words for those who do not see it, and its numbers in a table', async () => {
    const page = await open('/console/overview')
    const plot = page.getByRole('figure', { name: 'Answers by the day' })
    assert.match(await plot.getByRole('img').getAttribute('aria-label') ?? '', /Most answers, \d+, on/)
    assert.equal(await plot.locator('.bars g').count(), 14)
    await plot.getByText('The same in numbers').press('Enter')
    assert.equal(await plot.getByRole('row').count(), 15)
    const bars = await plot.locator('.bars .desk').evaluateAll(all => all.map(bar => bar.getBoundingClientRect().height))
    assert.ok(bars.every(height => height > 0), String(bars))
    await page.context().close()
  })

  test('a report leads to the day before and back', async () => {
    const page = await open('/console/report')
    const first = await page.locator('.report-head p').innerText()
    await page.getByRole('link', { name: 'The day before' }).click()
    assert.notEqual(await page.locator('.report-head p').innerText(), first)
    await page.getByRole('link', { name: 'The day after' }).click()
    assert.equal(await page.locator('.report-head p').innerText(), first)
    await page.context().close()
  })

  test('it prints without the console round it, black on white, and its button prints', async () => {
    const page = await open('/console/report', { colorScheme: 'dark' })
    await page.evaluate(() => {
      globalThis.print = () => {
        document.title = 'printed'
      }
    })
    await page.getByRole('button', { name: 'Print' }).click()
    assert.equal(await page.title(), 'printed')
    await page.emulateMedia({ media: 'print' })
    assert.equal(await page.locator('.bar').isVisible(), false)
    assert.equal(await page.getByRole('button', { name: 'Print' }).isVisible(), false)
    const shown = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body)
      return [color, backgroundColor]
    })
    assert.deepEqual(shown, ['rgb(0, 0, 0)', 'rgb(255, 255, 255)'])
    await page.setViewportSize({ width: 700, height: 990 })
    assert.equal(await overflow(page), 0)
    await shoot(page, 'report-print')
    await page.context().close()
  })

  test('without scripts the report is whole and says how it is printed', async () => {
    const page = await open('/console/report', { javaScriptEnabled: false })
    assert.ok(await page.getByText('To print it, use your browser').isVisible())
    assert.equal(await page.getByRole('button', { name: 'Print' }).count(), 0)
    await page.context().close()
  })

  test('a new business is told what to do first', async () => {
    const page = await visit.openAnonymous('/console/login')
    await logIn(page, visit.scene.newcomer)
    await page.goto(`${visit.scene.url}/console/overview`)
    assert.ok(await page.getByRole('link', { name: 'Link the business' }).isVisible())
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'overview-new')
    await page.context().close()
  })

  for (const colorScheme of /** @type {Array<'light' | 'dark'>} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      const page = await open('/console/overview', { colorScheme })
      for (const [name, path] of PAGES) {
        await page.goto(visit.scene.url + path)
        await shoot(page, `${name}-${colorScheme}`)
        await unfold(page)
        assert.deepEqual(await serious(page), [], `${name} in ${colorScheme}`)
      }
      await page.context().close()
    })
  }

  test('nothing is wider than a narrow window, also with text of twice the size', async () => {
    const page = await open('/console/overview', { viewport: ZOOMED_FOUR_TIMES })
    for (const [name, path] of PAGES) {
      await page.goto(visit.scene.url + path)
      await unfold(page)
      assert.deepEqual(await wider(page), [], name)
      await shoot(page, `${name}-320`)
    }
    await page.setViewportSize({ width: DESKTOP.width / 2, height: DESKTOP.height })
    for (const [name, path] of PAGES) {
      await page.goto(visit.scene.url + path)
      await page.addStyleTag({ content: 'html { font-size: 200%; }' })
      await unfold(page)
      assert.deepEqual(await wider(page), [], `${name} with large text`)
      await shoot(page, `${name}-large`)
    }
    await page.context().close()
  })

  test('the pages keep to their own rules, also from right to left', async () => {
    const page = await open('/console/overview', { bypassCSP: false, locale: 'he-IL' })
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    for (const [name, path] of PAGES) {
      await page.goto(visit.scene.url + path)
      assert.equal(await page.evaluate(() => document.title.includes('taken over')), false)
      assert.equal(await page.evaluate(() => document.documentElement.dir), 'rtl')
      assert.deepEqual(await wider(page), [], name)
      await shoot(page, `${name}-rtl`)
    }
    assert.deepEqual(complaints, [])
    await page.context().close()
  })
})

/** Open all that is folded away. @param {Page} page */
async function unfold (page) {
  await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
}
