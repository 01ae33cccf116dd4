/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { startConsole } from './console_process.js'

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').BrowserContextOptions} Options
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./console_process.js').Scene} Scene
 */

const DESKTOP = { width: 1280, height: 900 }
// A window of 1280 pixels at 400 % zoom: what WCAG 1.4.10 asks for.
const ZOOMED = { width: 320, height: 225 }

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe('console in Hebrew', () => {
  /** @type {Browser} */
  let browser
  /** @type {Scene} */
  let scene
  /** @type {() => Promise<void>} */
  let stopConsole
  /** @type {Options['storageState']} */
  let loggedIn

  before(async () => {
    const started = await startConsole()
    scene = started.scene
    stopConsole = started.stop
    browser = await startBrowser()
    const page = await open('/console/login')
    await page.locator('#name').fill(scene.staff.name)
    await page.locator('#password').fill(scene.staff.password)
    await page.getByRole('button', { name: 'התחברות' }).click()
    await page.getByRole('heading', { level: 1, name: 'שיחות' }).waitFor()
    loggedIn = await page.context().storageState()
    await page.context().close()
  })

  after(async () => {
    await browser?.close()
    await stopConsole?.()
  })

  /**
   * @param {string} path
   * @param {Options} [options]
   */
  async function open (path, options = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, bypassCSP: true, locale: 'he-IL', ...options })
    const page = await context.newPage()
    await page.goto(scene.url + path)
    return page
  }

  /** The main pages by their names. @returns {Array<[string, string]>} */
  function pages () {
    const threads = ['english', 'hebrew'].map(part => /** @type {[string, string]} */ ([
      `thread-${part}`, `/console/conversations/${scene.threads[part]}`
    ]))
    const others = ['questions', 'knowledge', 'imports', 'documents/new', 'try', 'replies', 'playground', 'numbers',
      'settings', 'team', 'keys', 'audit', 'account']
    return [
      ['list', '/console/'],
      ...threads,
      ...others.map(path => /** @type {[string, string]} */ ([path.replace('/', '-'), `/console/${path}`])),
      ['missing', '/console/no-such-page']
    ]
  }

  test('pages are in Hebrew, from right to left', async () => {
    const page = await open('/console/', { storageState: loggedIn })
    for (const [name, path] of pages()) {
      await page.goto(scene.url + path)
      const told = await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir])
      assert.deepEqual(told, ['he', 'rtl'], name)
      await shoot(page, name)
    }
    await page.context().close()
  })

  test('at 400 % zoom nothing has to be scrolled sideways', async () => {
    const page = await open('/console/login', { viewport: ZOOMED })
    assert.equal(await overflow(page), 0, 'login')
    await page.context().close()
    const inside = await open('/console/', { viewport: ZOOMED, storageState: loggedIn })
    for (const [name, path] of pages()) {
      await inside.goto(scene.url + path)
      await unfold(inside)
      assert.equal(await overflow(inside), 0, name)
      await shoot(inside, `${name}-320`)
    }
    await inside.context().close()
  })

  test('axe finds nothing serious', async () => {
    const page = await open('/console/login')
    assert.deepEqual(await serious(page), [], 'login')
    await page.context().close()
    const inside = await open('/console/', { storageState: loggedIn })
    for (const [name, path] of pages()) {
      await inside.goto(scene.url + path)
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

/** By how many pixels the page is wider than its window. @param {Page} page */
function overflow (page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/** What axe finds that keeps people from using the page. @param {Page} page */
async function serious (page) {
  await page.evaluate(axeSource)
  const violations = await page.evaluate(async () => {
    const axe = /** @type {typeof import('axe-core')} */ (Reflect.get(globalThis, 'axe'))
    return (await axe.run()).violations
  })
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(node => node.html).join(' ')}`)
}

/** Keep a picture of the page if SCREENSHOTS_DIR says where. @param {Page} page @param {string} name */
async function shoot (page, name) {
  const folder = process.env.SCREENSHOTS_DIR
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
