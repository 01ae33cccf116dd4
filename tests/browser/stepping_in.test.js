/// <reference lib="dom" />
/* global document, getComputedStyle */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { DESKTOP, ZOOMED_FOUR_TIMES, send, visitConsole } from './console_visit.js'
import { serious, shoot } from './page_checks.js'

/** @typedef {import('playwright-core').Page} Page */

describe('stepping in', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
    const page = await visit.open('/console/replies')
    for (const [title, text] of [['Welcome', 'Hello {guest}, {me} here.'], ['Call us', 'Call {phone}.']]) {
      await page.goto(`${visit.scene.url}/console/replies`)
      await page.getByLabel('Title, for the team').fill(title)
      await page.getByLabel('Text', { exact: true }).fill(text)
      await page.getByRole('button', { name: 'Add the reply' }).click()
      await page.getByRole('link', { name: title }).waitFor()
    }
    await page.context().close()
  })

  after(() => visit?.close())

  test('a note is written with the keyboard and stands in the thread unlike a message', async () => {
    const page = await visit.open(visit.thread('hebrew'))
    await page.getByLabel('Note, only for the team').fill('מכיר את הבעלים')
    await send(page, () => page.keyboard.press('Control+Enter'))
    const note = page.locator('.note', { hasText: 'מכיר את הבעלים' })
    await note.getByText('Note, only for the team').waitFor()
    await note.getByText(visit.scene.staff.name).waitFor()
    assert.equal(await note.locator('.said').evaluate(element => getComputedStyle(element).direction), 'rtl')
    const papers = await page.locator('.note, .bubble').evaluateAll(all =>
      [...new Set(all.map(one => getComputedStyle(one).backgroundColor + one.className))])
    assert.ok(papers.length > 1)
    assert.equal(await page.locator('.bubble', { hasText: 'מכיר' }).count(), 0)
    await page.context().close()
  })

  test('a label and an assignee are set, shown in the list, filtered by, and taken off', async () => {
    const page = await visit.open(visit.thread('english'))
    await page.getByLabel('Label', { exact: true }).fill('Wedding')
    await send(page, () => page.keyboard.press('Enter'))
    await page.getByRole('button', { name: 'Remove the label Wedding' }).waitFor()
    await page.getByLabel('Looked after by').selectOption({ label: `Me (${visit.scene.staff.name})` })
    await send(page, () => page.getByRole('button', { name: 'Assign' }).click())
    await page.locator('.title .badge', { hasText: `With ${visit.scene.staff.name}` }).waitFor()
    await page.goto(`${visit.scene.url}/console/`)
    await page.getByLabel('Label').selectOption('Wedding')
    await page.getByLabel('Looked after by').selectOption('Me')
    await page.getByRole('button', { name: 'Search' }).click()
    assert.deepEqual(await page.locator('.row h2 a').allInnerTexts(), ['Tom Becker'])
    await page.locator('.row .badge', { hasText: 'Wedding' }).waitFor()
    await page.goto(visit.scene.url + visit.thread('english'))
    await page.getByRole('button', { name: 'Remove the label Wedding' }).press('Enter')
    await page.locator('.title .badges:not(:has-text("Wedding"))').waitFor()
    await page.context().close()
  })

  test('a reply is filled in without another page, and sent with Ctrl and Enter', async () => {
    const page = await visit.open(visit.thread('long_words'), { bypassCSP: false })
    const loads = countLoads(page)
    await page.getByLabel('Begin with').selectOption('Welcome')
    await page.getByRole('button', { name: 'Fill in' }).click()
    const box = page.getByLabel('Write to the guest')
    assert.match(await box.inputValue(), /^Hello Donaudampf.*, Noa here\.$/)
    assert.equal(await box.evaluate(element => element === document.activeElement), true)
    assert.equal(loads(), 0)
    await page.keyboard.press('Control+Enter')
    await page.locator('.bubble.staff', { hasText: 'Noa here.' }).waitFor()
    await page.context().close()
  })

  test('a gap that nobody filled is not sent', async () => {
    const page = await visit.open(visit.thread('script'))
    await page.getByLabel('Begin with').selectOption('Call us')
    await page.getByRole('button', { name: 'Fill in' }).click()
    assert.equal(await page.getByLabel('Write to the guest').inputValue(), 'Call [phone].')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.getByText('fill in what is missing: [phone]').waitFor()
    await page.context().close()
  })

  test('without scripts a reply is filled in by its address', async () => {
    const page = await visit.open(visit.thread('call'), { javaScriptEnabled: false })
    await page.getByLabel('Begin with').selectOption('Welcome')
    await page.getByRole('button', { name: 'Fill in' }).click()
    assert.equal(await page.getByLabel('Write to the guest').inputValue(), 'Hello Dana Levi, Noa here.')
    assert.match(page.url(), /[?&]reply=\d+/)
    await page.context().close()
  })

  test('a draft is suggested, changed in the answer box, and sent', async () => {
    const page = await visit.open(visit.thread('failed'))
    await send(page, () => page.getByRole('button', { name: 'Suggest a reply' }).press('Enter'))
    const draft = page.getByRole('region', { name: 'Draft of the desk' })
    await draft.getByText('Check-in is from 15:00.').waitFor()
    await shoot(page, 'draft')
    assert.deepEqual(await serious(page), [])
    const loads = countLoads(page)
    await draft.getByRole('link', { name: 'Change' }).click()
    const box = page.getByLabel('Write to the guest')
    assert.equal(await box.inputValue(), 'Check-in is from 15:00.')
    assert.equal(loads(), 0)
    await box.fill('Breakfast is included.')
    await page.getByRole('button', { name: 'Send', exact: true }).click()
    await page.locator('.bubble.staff', { hasText: 'Breakfast is included.' }).waitFor()
    assert.equal(await draft.count(), 0)
    await page.context().close()
  })

  test('staff let the desk draft', async () => {
    const page = await visit.open(visit.thread('handover'))
    await send(page, () => page.getByRole('button', { name: 'Draft, I decide' }).press('Enter'))
    await page.getByText('The desk writes drafts').waitFor()
    await page.locator('.event', { hasText: 'has the desk draft' }).waitFor()
    await send(page, () => page.getByRole('button', { name: 'Hand back to the desk' }).press('Enter'))
    await page.getByText('The desk answers this guest').waitFor()
    await page.context().close()
  })

  test('where the time of an answer went is a table with a bar for each step', async () => {
    const page = await visit.open(visit.thread('english'), { bypassCSP: false })
    const print = page.locator('.bubble.reply details.print').first()
    await print.locator('summary').click()
    const table = print.getByRole('table', { name: 'Where the time went' })
    await table.waitFor()
    const rows = await table.getByRole('row').allInnerTexts()
    assert.ok(rows.some(row => row.includes('Sent')), rows.join('\n'))
    const bar = await table.locator('svg rect:not(.rest)').last().boundingBox()
    assert.ok(bar && bar.width > 0)
    await page.context().close()
  })

  test('without scripts why an answer was given is a page of its own', async () => {
    const page = await visit.open(visit.thread('english'), { javaScriptEnabled: false })
    const print = page.locator('.bubble.reply details.print').first()
    await print.locator('summary').click()
    await print.getByRole('link').click()
    await page.getByRole('table', { name: 'Where the time went' }).waitFor()
    await shoot(page, 'why-without-scripts')
    await page.getByRole('link', { name: 'Back to the conversation' }).click()
    await page.locator('.thread').waitFor()
    await page.context().close()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}, and nothing is wider than a small window`, async () => {
      const page = await visit.open('/console/', { colorScheme })
      for (const path of ['/console/', '/console/replies', visit.thread('hebrew'), visit.thread('english'), visit.thread('failed')]) {
        await page.setViewportSize(DESKTOP)
        await page.goto(visit.scene.url + path)
        await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
        await page.waitForFunction(() => [...document.querySelectorAll('.why')].every(why => why.querySelector('dl')))
        assert.deepEqual(await serious(page), [], path)
        await shoot(page, `stepping-in-${colorScheme}-${path.replaceAll('/', '-')}`)
        await page.setViewportSize(ZOOMED_FOUR_TIMES)
        const width = await page.evaluate(() => document.documentElement.scrollWidth)
        assert.ok(width <= ZOOMED_FOUR_TIMES.width, `${path} is ${width} wide`)
        await shoot(page, `stepping-in-320-${colorScheme}-${path.replaceAll('/', '-')}`)
      }
      await page.context().close()
    })
  }
})

/**
 * How many pages are loaded from now on.
 * @param {Page} page
 * @returns {() => number}
 */
function countLoads (page) {
  let loads = 0
  page.on('load', () => loads++)
  return () => loads
}
