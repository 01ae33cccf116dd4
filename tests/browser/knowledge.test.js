/// <reference lib="dom" />
/* global document */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { ZOOMED_FOUR_TIMES, visitConsole } from './console_visit.js'
import { serious, shoot, wider } from './page_checks.js'

/** @typedef {import('playwright-core').Page} Page */

const FILE = '# ארוחת בוקר\n\nמוגשת בין 7:30 ל-10:30.\n\n# Towels\n\nTowels hang beside the pool.\n'

describe('knowledge in the console', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
    await addDocument('Swimming pool', 'The pool is open from 8:00 to 20:00.')
  })

  after(() => visit?.close())

  /** @param {string} title @param {string} text */
  async function addDocument (title, text) {
    const page = await visit.open('/console/documents/new')
    await page.getByLabel('Title').fill(title)
    await page.getByLabel('Text', { exact: true }).fill(text)
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('status').filter({ hasText: 'Saved' }).waitFor()
    await page.context().close()
  }

  test('a document is found, changed with the keyboard, and refused with its fault beside the field', async () => {
    const page = await visit.open('/console/knowledge?q=pool')
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
    const first = await visit.open('/console/knowledge/parking')
    const second = await visit.open('/console/knowledge/parking')
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
    const page = await visit.open('/console/imports')
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
    await page.goto(`${visit.scene.url}/console/knowledge?q=towels.md`)
    assert.equal(await page.getByRole('link', { name: /Towels|ארוחת/ }).count(), 2)
    await page.context().close()
  })

  test('a question is tried and shown with its passages', async () => {
    const page = await visit.open('/console/try')
    await page.getByLabel('Question').fill('Is there a swimming pool?')
    await page.getByRole('button', { name: 'Try it' }).click()
    await page.getByRole('heading', { name: 'A guest would be answered' }).waitFor()
    assert.ok(await page.getByRole('heading', { name: 'What was found' }).isVisible())
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'try')
    await page.context().close()
  })

  test('a question is answered, and the page says whether the desk knows it now', async () => {
    const page = await visit.open('/console/questions')
    await page.getByRole('link', { name: 'Is there a place to land a helicopter?' }).click()
    assert.equal(await page.getByLabel('Title').inputValue(), 'Is there a place to land a helicopter?')
    await page.getByLabel('Text', { exact: true }).fill('There is no place to land a helicopter.')
    await page.getByRole('button', { name: 'Save the answer' }).click()
    await page.getByText('Asked again, the desk').waitFor()
    assert.ok(await page.getByText('It goes to 1 guest.').isVisible())
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'question-answered')
    await page.goto(`${visit.scene.url}/console/conversations/${visit.scene.threads.handover}`)
    assert.ok(await page.getByText('There is no place to land a helicopter.').isVisible())
    await page.context().close()
  })

  for (const colorScheme of /** @type {Array<'light' | 'dark'>} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      const page = await visit.open('/console/', { colorScheme })
      for (const [name, path] of await pages(page)) {
        await page.goto(visit.scene.url + path)
        assert.deepEqual(await serious(page), [], `${name} in ${colorScheme}`)
        await shoot(page, `${name}-${colorScheme}`)
      }
      await page.context().close()
    })
  }

  test('nothing is wider than a narrow window, and what is pressed is large enough', async () => {
    const page = await visit.open('/console/', { viewport: ZOOMED_FOUR_TIMES })
    for (const [name, path] of await pages(page)) {
      await page.goto(visit.scene.url + path)
      assert.deepEqual(await wider(page), [], name)
      assert.deepEqual(await tooSmall(page), [], name)
      await shoot(page, `${name}-320`)
    }
    await page.context().close()
  })

  test('the pages keep to their own rules and are the same from right to left', async () => {
    const page = await visit.open('/console/', { bypassCSP: false, locale: 'he' })
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    for (const [name, path] of await pages(page)) {
      await page.goto(visit.scene.url + path)
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
    await page.goto(`${visit.scene.url}/console/questions`)
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

/** What is pressed and smaller than 24 pixels, but for links. @param {Page} page @returns {Promise<string[]>} */
function tooSmall (page) {
  const pressed = 'main :is(button, .button, select, textarea, input:not([type=hidden], [type=checkbox]))'
  return page.evaluate(all => [...document.querySelectorAll(all)]
    .filter(element => element.getBoundingClientRect().height < 24)
    .map(element => element.outerHTML.slice(0, 120)), pressed)
}
