/// <reference lib="dom" />
/* global document, getComputedStyle */

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
// A window of 1280 pixels at 400 %: what WCAG 1.4.10 asks for.
const ZOOMED_FOUR_TIMES = { width: 320, height: 225 }
const FILE = '# ארוחת בוקר\n\nמוגשת בין 7:30 ל-10:30.\n\n# Towels\n\nTowels hang beside the pool.\n'

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

describe('knowledge in the console', () => {
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
    const page = await browser.newPage()
    await page.goto(`${scene.url}/console/login`)
    await page.getByLabel('Name').fill(scene.staff.name)
    await page.getByLabel('Password').fill(scene.staff.password)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${scene.url}/console/`)
    loggedIn = await page.context().storageState()
    await page.context().close()
    await addDocument('Swimming pool', 'The pool is open from 8:00 to 20:00.')
  })

  after(async () => {
    await browser?.close()
    await stopConsole?.()
  })

  /** @param {string} path @param {Options} [options] */
  async function open (path, options = {}) {
    const context = await browser.newContext({
      viewport: DESKTOP, bypassCSP: true, storageState: loggedIn, ...options
    })
    const page = await context.newPage()
    await page.goto(scene.url + path)
    return page
  }

  /** @param {string} title @param {string} text */
  async function addDocument (title, text) {
    const page = await open('/console/documents/new')
    await page.getByLabel('Title').fill(title)
    await page.getByLabel('Text', { exact: true }).fill(text)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    await page.context().close()
  }

  test('a document is found, changed with the keyboard, and refused with its fault beside the field', async () => {
    const page = await open('/console/knowledge?q=pool')
    await page.getByRole('link', { name: 'Swimming pool' }).focus()
    await page.keyboard.press('Enter')
    const hours = page.getByLabel('Opening hours')
    await hours.fill('whenever we like')
    await page.getByLabel('Text', { exact: true }).fill('The pool is heated.')
    await page.getByRole('button', { name: 'Save' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    assert.equal(await hours.getAttribute('aria-invalid'), 'true')
    assert.equal(await page.getByLabel('Text', { exact: true }).inputValue(), 'The pool is heated.')
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'document-fault')
    await hours.fill('Mo-Su 08:00-20:00')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    await page.context().close()
  })

  test('the second of two editors sees both texts', async () => {
    await addDocument('Parking', 'In the yard.')
    const first = await open('/console/knowledge/parking')
    const second = await open('/console/knowledge/parking')
    await first.getByLabel('Text', { exact: true }).fill('Behind the house.')
    await first.getByRole('button', { name: 'Save' }).click()
    await first.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    await second.getByLabel('Text', { exact: true }).fill('On the roof.')
    await second.getByRole('button', { name: 'Save' }).click()
    await second.getByRole('heading', { name: 'What stands there now' }).waitFor()
    assert.ok(await second.getByText('Behind the house.').isVisible())
    assert.equal(await second.getByLabel('Text', { exact: true }).inputValue(), 'On the roof.')
    assert.deepEqual(await serious(second), [])
    await shoot(second, 'document-overtaken')
    await first.context().close()
    await second.context().close()
  })

  test('a file is looked at before it is imported', async () => {
    const page = await open('/console/imports')
    await page.getByLabel('Files').setInputFiles({
      name: 'towels.md', mimeType: 'text/markdown', buffer: Buffer.from(FILE)
    })
    await page.getByRole('button', { name: 'Look at them' }).click()
    await page.getByRole('heading', { name: 'New: 2' }).waitFor()
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'import-look')
    await page.getByRole('button', { name: 'Import' }).click()
    while (await page.getByRole('link', { name: 'Look again' }).count()) await page.reload()
    await page.getByText('Imported.').waitFor()
    assert.deepEqual(await serious(page), [])
    await page.goto(`${scene.url}/console/knowledge?q=towels.md`)
    assert.equal(await page.getByRole('link', { name: /Towels|ארוחת/ }).count(), 2)
    await page.context().close()
  })

  test('a question is tried and shown with its passages', async () => {
    const page = await open('/console/try')
    await page.getByLabel('Question').fill('Is there a swimming pool?')
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByRole('heading', { name: 'A guest would be answered' }).waitFor()
    assert.ok(await page.getByRole('heading', { name: 'What was found' }).isVisible())
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'try')
    await page.context().close()
  })

  test('a question is answered, and the page says whether the desk knows it now', async () => {
    const page = await open('/console/questions')
    await page.getByRole('link', { name: 'Is there a place to land a helicopter?' }).click()
    assert.equal(await page.getByLabel('Title').inputValue(), 'Is there a place to land a helicopter?')
    await page.getByLabel('Text', { exact: true }).fill('There is no place to land a helicopter.')
    await page.getByRole('button', { name: 'Save the answer' }).click()
    await page.getByText('Asked again, the desk').waitFor()
    assert.ok(await page.getByText('It goes to 1 guest.').isVisible())
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'question-answered')
    await page.goto(`${scene.url}/console/conversations/${scene.threads.handover}`)
    assert.ok(await page.getByText('There is no place to land a helicopter.').isVisible())
    await page.context().close()
  })

  for (const colorScheme of /** @type {Array<'light' | 'dark'>} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      const page = await open('/console/', { colorScheme })
      for (const [name, path] of await pages(page)) {
        await page.goto(scene.url + path)
        assert.deepEqual(await serious(page), [], `${name} in ${colorScheme}`)
        await shoot(page, `${name}-${colorScheme}`)
      }
      await page.context().close()
    })
  }

  test('nothing is wider than a narrow window, and what is pressed is large enough', async () => {
    const page = await open('/console/', { viewport: ZOOMED_FOUR_TIMES })
    for (const [name, path] of await pages(page)) {
      await page.goto(scene.url + path)
      assert.deepEqual(await wider(page), [], name)
      assert.deepEqual(await tooSmall(page), [], name)
      await shoot(page, `${name}-320`)
    }
    await page.context().close()
  })

  test('the pages keep to their own rules and are the same from right to left', async () => {
    const page = await open('/console/', { bypassCSP: false, locale: 'he' })
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    for (const [name, path] of await pages(page)) {
      await page.goto(scene.url + path)
      assert.equal(await page.evaluate(() => document.title.includes('taken over')), false)
      await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'))
      assert.deepEqual(await wider(page), [], name)
      await shoot(page, `${name}-rtl`)
    }
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  /** @param {Page} page @returns {Promise<Array<[string, string]>>} names and addresses of pages that look different */
  async function pages (page) {
    await page.goto(`${scene.url}/console/questions`)
    const asked = await page.locator('.list h2 a').evaluateAll(links => links.map(link => link.getAttribute('href') ?? ''))
    return [
      ['knowledge', '/console/knowledge'],
      ['nothing-found', '/console/knowledge?q=zzz'],
      ['document', '/console/knowledge/swimming-pool'],
      ['new-document', '/console/documents/new'],
      ['delete', '/console/documents/delete/swimming-pool'],
      ['imports', '/console/imports'],
      ['try', '/console/try'],
      ['questions', '/console/questions'],
      ...asked.map((path, place) => /** @type {[string, string]} */ ([`question-${place}`, path]))
    ]
  }
})

/** What is wider than the window. @param {Page} page @returns {Promise<string[]>} */
function wider (page) {
  return page.evaluate(() => {
    const edge = document.documentElement.clientWidth + 1
    return [...document.querySelectorAll('body *')]
      .filter(element => !element.closest('.hidden, .skip') && getComputedStyle(element).overflow !== 'hidden')
      .filter(element => {
        const { left, right } = element.getBoundingClientRect()
        return (right > edge || left < -1) && !element.closest('.snippet')
      })
      .map(element => element.outerHTML.slice(0, 120))
  })
}

/** What is pressed and smaller than 24 pixels, but for links. @param {Page} page @returns {Promise<string[]>} */
function tooSmall (page) {
  const pressed = 'main :is(button, .button, select, textarea, input:not([type=hidden], [type=checkbox]))'
  return page.evaluate(all => [...document.querySelectorAll(all)]
    .filter(element => element.getBoundingClientRect().height < 24)
    .map(element => element.outerHTML.slice(0, 120)), pressed)
}

/** @param {Page} page @returns {Promise<string[]>} serious findings of axe */
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
