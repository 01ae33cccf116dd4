/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ZOOMED_FOUR_TIMES, visitConsole } from './console_visit.js'
import { overflow, serious, shoot } from './page_checks.js'

/** @typedef {import('playwright-core').Page} Page */

const HEBREW = { locale: 'he-IL' }

describe('console in Hebrew', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
  })

  after(() => visit?.close())

  /** The main pages by their names. @returns {Array<[string, string]>} */
  function pages () {
    const threads = ['english', 'hebrew'].map(part => /** @type {[string, string]} */ ([
      `thread-${part}`, `/console/conversations/${visit.scene.threads[part]}`
    ]))
    const others = ['overview', 'report', 'questions', 'knowledge', 'imports', 'documents/new', 'try', 'replies', 'playground', 'numbers',
      'settings', 'team', 'keys', 'audit', 'account']
    return [
      ['list', '/console/'],
      ...threads,
      ...others.map(path => /** @type {[string, string]} */ ([path.replace('/', '-'), `/console/${path}`])),
      ['missing', '/console/no-such-page']
    ]
  }

  test('pages are in Hebrew, from right to left', async () => {
    const page = await visit.open('/console/', HEBREW)
    for (const [name, path] of pages()) {
      await page.goto(visit.scene.url + path)
      const told = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])
      assert.deepEqual(told, ['he', 'rtl'], name)
      await shoot(page, name)
    }
    await page.context().close()
  })

  test('at 400 % zoom nothing has to be scrolled sideways', async () => {
    const page = await visit.openAnonymous('/console/login', { ...HEBREW, viewport: ZOOMED_FOUR_TIMES })
    assert.equal(await overflow(page), 0, 'login')
    await page.context().close()
    const inside = await visit.open('/console/', { ...HEBREW, viewport: ZOOMED_FOUR_TIMES })
    for (const [name, path] of pages()) {
      await inside.goto(visit.scene.url + path)
      await unfold(inside)
      assert.equal(await overflow(inside), 0, name)
      await shoot(inside, `${name}-320`)
    }
    await inside.context().close()
  })

  test('axe finds nothing serious', async () => {
    const page = await visit.openAnonymous('/console/login', HEBREW)
    assert.deepEqual(await serious(page), [], 'login')
    await page.context().close()
    const inside = await visit.open('/console/', HEBREW)
    for (const [name, path] of pages()) {
      await inside.goto(visit.scene.url + path)
      await unfold(inside)
      assert.deepEqual(await serious(inside), [], name)
    }
    await inside.context().close()
  })
})

/** Open all that is folded away. @param {Page} page */
async function unfold (page) {
  await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
}
