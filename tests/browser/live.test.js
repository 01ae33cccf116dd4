/// <reference lib="dom" />
/* global scrollTo */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { logIn, startDesk } from './live_desk.js'
import { serious } from './page_checks.js'

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {import('playwright-core').Locator} Locator
 * @typedef {import('playwright-core').Page} Page
 */

describe('pages that stay open', () => {
  /** @type {Browser} */
  let browser
  /** @type {import('./live_desk.js').Desk} */
  let desk
  /** Two members of staff, each with a browser of their own. @type {import('playwright-core').BrowserContext[]} */
  let desks
  /** The guest's thread. */
  let thread = ''

  before(async () => {
    desk = await startDesk()
    browser = await startBrowser()
    desks = await Promise.all(desk.scene.staff.map(member => logIn(browser, desk.scene, member)))
  })

  after(async () => {
    await browser?.close()
    await desk?.stop()
  })

  test('a guest\'s first message appears in the list without a reload', async () => {
    const page = await open('/console/')
    await page.getByText('No conversations yet').waitFor()
    await mark(page)
    const heard = page.getByRole('status').filter({ hasText: 'New message' })
    await desk.tell({ say: 'Hello, when is check-in?' })
    await page.locator('.row', { hasText: desk.scene.guest }).getByText('New', { exact: true }).waitFor()
    await heard.waitFor({ state: 'attached' })
    assert.ok(await isMarked(page))
    assert.deepEqual(await serious(page), [])
    thread = String(await page.locator('.row h2 a').getAttribute('href')).replace('#latest', '')
    await page.close()
  })

  test('a thread grows, tells how far a reply has got, and keeps what is being typed', async () => {
    const page = await open(thread)
    const box = page.getByLabel('Write to the guest')
    await box.fill('Dear Maya, of cour')
    await box.evaluate(element => /** @type {HTMLTextAreaElement} */ (element).setSelectionRange(4, 4))
    await mark(page)
    await desk.tell({ say: 'And where can we park?' })
    await page.locator('.bubble.guest', { hasText: 'where can we park' }).waitFor()
    await page.locator('.bubble.reply').nth(1).locator('.state.delivered').waitFor()
    await page.keyboard.type('est')
    assert.equal(await box.inputValue(), 'Dearest Maya, of cour')
    assert.ok(await isMarked(page))
    await page.close()
  })

  test('what the reader has opened stays open, and a form that nobody fills in follows', async () => {
    const [page, other] = [await open(thread), await open(thread, 1)]
    const why = page.locator('details', { hasText: 'Why this answer' }).first()
    await why.locator('summary').click()
    await why.getByText('Answer decided').waitFor()
    await other.getByRole('button', { name: 'Take over' }).click()
    await page.locator('.event', { hasText: 'took over' }).waitFor()
    await page.getByRole('button', { name: 'Hand back' }).waitFor()
    assert.ok(await why.getByText('Answer decided').isVisible())
    await other.getByRole('button', { name: 'Hand back' }).click()
    await page.getByRole('button', { name: 'Take over' }).waitFor()
    await Promise.all([page.close(), other.close()])
  })

  test('the reader of old messages is not moved, and is told that there are new ones', async () => {
    const page = await open(thread)
    await page.setViewportSize({ width: 700, height: 260 })
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }))
    await page.evaluate(() => scrollTo({ top: 60, behavior: 'instant' }))
    const first = page.locator('.bubble').first()
    const before = await topOf(first)
    await desk.tell({ say: 'Is there a lift?' })
    const button = page.getByRole('button', { name: 'New messages' })
    await button.waitFor()
    const moved = await topOf(first) - before
    // Pages scroll by whole pixels: what arrives above them may be taller by a part of one.
    assert.ok(Math.abs(moved) < 1, `moved by ${moved} px`)
    await button.click()
    await button.waitFor({ state: 'hidden' })
    const last = await page.locator('.bubble').last().boundingBox()
    assert.ok(last && last.y + last.height <= 260 + 80, JSON.stringify(last))
    await page.close()
  })

  test('what plays goes on playing, and a thread that has run far ahead is shown whole', async () => {
    const page = await open(thread)
    const line = (/** @type {number} */ number, more = '') => `<li class="bubble guest" id="in-${number}">${number}${more}</li>`
    let body = `<ol class="thread">${line(1, '<audio src="/sound"></audio>')}</ol>`
    await page.route(url => url.pathname === thread, (route, asked) => {
      const isWhole = asked.headers()['x-page-part'] === 'whole'
      const far = `<ol class="thread">${line(8)}${line(9)}</ol>`
      return route.fulfill({ contentType: 'text/html', body: body === '' ? (isWhole ? far : `<ol class="thread">${line(9)}</ol>`) : body })
    })
    await refresh(page)
    await page.locator('audio').waitFor({ state: 'attached' })
    await page.locator('audio').evaluate(player => Reflect.set(player, 'isOurs', true))
    body = `<ol class="thread">${line(1, '!<audio src="/sound"></audio>')}${line(2)}</ol>`
    await refresh(page)
    await page.getByText('1!').waitFor()
    assert.ok(await page.locator('audio').evaluate(player => Reflect.has(player, 'isOurs')))
    // Only the newest lines are told: those before them stay.
    body = `<ol class="thread">${line(2)}${line(3)}</ol>`
    await refresh(page)
    await page.locator('#in-3').waitFor()
    assert.deepEqual(await ids(page), ['in-1', 'in-2', 'in-3'])
    body = ''
    await refresh(page)
    await page.locator('#in-9').waitFor()
    assert.deepEqual(await ids(page), ['in-8', 'in-9'])
    await page.close()
  })

  test('a guest who types is seen in list and thread', async () => {
    const [list, page] = [await open('/console/'), await open(thread, 1)]
    await desk.tell({ type: 'composing' })
    await page.getByText('is typing').waitFor()
    await list.locator('.row').getByText('Typing…').waitFor()
    await desk.tell({ type: 'paused' })
    await page.getByText('is typing').waitFor({ state: 'detached' })
    await Promise.all([list.close(), page.close()])
  })

  test('members of staff see one another in the same thread', async () => {
    const page = await open(thread)
    const other = await open(thread, 1)
    const [noa, dan] = desk.scene.staff
    await page.getByText('Also looking at this conversation').getByText(dan.name).waitFor()
    await other.getByText('Also looking at this conversation').getByText(noa.name).waitFor()
    assert.deepEqual(await serious(page), [])
    await other.close()
    await page.getByText('Also looking at this conversation').waitFor({ state: 'hidden' })
    await page.close()
  })

  test('without the stream the page says so and looks by itself; then it comes back', async () => {
    const page = await open(thread)
    const down = page.getByText('Not connected at the moment')
    assert.ok(await down.isHidden())
    await desk.tell({ realtime: 'stop' })
    await down.waitFor()
    await desk.tell({ say: 'Anybody there?' })
    await page.locator('.bubble.guest', { hasText: 'Anybody there' }).waitFor()
    await desk.tell({ realtime: 'start' })
    await down.waitFor({ state: 'hidden' })
    await desk.tell({ say: 'Good.' })
    await page.locator('.bubble.guest', { hasText: 'Good.' }).waitFor()
    await page.close()
  })

  test('keys lead through list and thread, and can be switched off', async () => {
    const page = await open('/console/')
    await page.keyboard.press('j')
    await page.locator('.row h2 a:focus').waitFor()
    await page.keyboard.press('/')
    await page.locator('#q:focus').waitFor()
    await page.keyboard.type('jk?')
    assert.equal(await page.locator('#q').inputValue(), 'jk?')
    await page.locator('#q').fill('')
    await page.locator('#q').blur()
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForURL(url => url.pathname === thread)
    await page.keyboard.press('k')
    await page.locator('.bubble:focus').waitFor()
    await page.keyboard.press('r')
    await page.locator('textarea#text:focus').waitFor()
    await page.locator('textarea#text').blur()
    await page.keyboard.press('?')
    const keys = page.getByRole('dialog', { name: 'Keys' })
    await keys.waitFor()
    assert.deepEqual(await serious(page), [])
    await keys.getByLabel('Use single keys').uncheck()
    await keys.getByRole('button', { name: 'Close' }).click()
    await page.keyboard.press('r')
    assert.equal(await page.locator('textarea#text:focus').count(), 0)
    await page.getByRole('button', { name: 'Keys' }).click()
    await keys.getByLabel('Use single keys').check()
    await keys.getByRole('button', { name: 'Close' }).click()
    await page.keyboard.press('/')
    await page.waitForURL(url => url.pathname === '/console/')
    await page.locator('#q:focus').waitFor()
    await page.close()
  })

  test('the pages keep to their own rules while they change', async () => {
    const page = await desks[0].newPage()
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    page.on('pageerror', error => complaints.push(String(error)))
    await page.goto(desk.scene.url + thread)
    await desk.tell({ say: 'One last thing' })
    await page.locator('.bubble.guest', { hasText: 'One last thing' }).waitFor()
    assert.deepEqual(complaints, [])
    await page.close()
  })

  test('whoever has another password is sent to the login', async () => {
    const page = await open('/console/', 1)
    await desk.tell({ reset: desk.scene.staff[1].name })
    await desk.tell({ say: 'Hello again' })
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.close()
  })

  /** A page that listens. @param {string} path @param {number} [member] */
  async function open (path, member = 0) {
    const page = await desks[member].newPage()
    const listens = page.waitForResponse(answer => new URL(answer.url()).pathname === '/console/live')
    await page.goto(desk.scene.url + path)
    assert.equal((await listens).status(), 200)
    return page
  }
})

/** Have a page ask again, as it does by itself. @param {Page} page */
async function refresh (page) {
  await page.evaluate(() => {
    const htmx = /** @type {typeof import('htmx.org').default} */ (Reflect.get(globalThis, 'htmx'))
    htmx.trigger('#live', 'refresh', {})
  })
}

/** The lines of a thread. @param {Page} page @returns {Promise<string[]>} */
function ids (page) {
  return page.locator('.bubble').evaluateAll(lines => lines.map(one => one.id))
}

/** Mark a page: one that is loaded again has lost it. @param {Page} page */
async function mark (page) {
  await page.evaluate(() => Reflect.set(globalThis, 'isMarked', true))
}

/** @param {Page} page @returns {Promise<boolean>} */
function isMarked (page) {
  return page.evaluate(() => Reflect.has(globalThis, 'isMarked'))
}

/** How far below the upper edge of the window something begins, in pixels. @param {Locator} element */
function topOf (element) {
  return element.evaluate(one => one.getBoundingClientRect().top)
}
