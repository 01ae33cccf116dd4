/// <reference lib="dom" />
/* global document, getComputedStyle */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { DESKTOP, ZOOMED_FOUR_TIMES, logIn, visitConsole } from './console_visit.js'
import { serious, shoot, wider } from './page_checks.js'

/** @typedef {import('playwright-core').Page} Page */

const PHONE = { width: 360, height: 740 }
// A window of 1280 pixels at 200 % zoom.
const ZOOMED_TWICE = { width: 640, height: 450 }

describe('console', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
  })

  after(() => visit?.close())

  test('a login needs nothing but the keyboard and leads to the page that was asked for', async () => {
    const page = await visit.openAnonymous(visit.thread('english'))
    assert.equal(new URL(page.url()).pathname, '/console/login')
    await shoot(page, 'login')
    // Keys that are pressed before the page has given a field the focus go nowhere.
    await page.locator('input[name=name]:focus').waitFor()
    await page.keyboard.type(visit.scene.staff.name)
    await page.keyboard.press('Tab')
    await page.keyboard.type('not the password')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').waitFor()
    await shoot(page, 'login-refused')
    // The name is still there, and the cursor is where the mistake was.
    await page.locator('input[type=password]:focus').waitFor()
    await page.keyboard.type(visit.scene.staff.password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Tom Becker' }).waitFor()
    assert.equal(new URL(page.url()).pathname, visit.thread('english'))
    await page.getByRole('button', { name: 'Log out' }).press('Enter')
    await page.getByRole('heading', { name: 'Log in' }).waitFor()
    await page.goto(`${visit.scene.url}${visit.thread('english')}`)
    assert.equal(new URL(page.url()).pathname, '/console/login')
    await page.context().close()
  })

  test('the list has the newest conversation first and says who needs a person', async () => {
    const page = await visit.open('/console/')
    const names = await page.locator('.row h2 a').allInnerTexts()
    assert.deepEqual([names[0], names[1], names[2]], ['Maya Rosen', 'Tom Becker', 'נועם לוי'])
    assert.equal(names.length, Object.keys(visit.scene.threads).length)
    const urgent = page.locator('.row', { hasText: 'Needs a person' })
    assert.deepEqual(await urgent.locator('h2 a').allInnerTexts(), ['Maya Rosen'])
    await shoot(page, 'list')
    await page.context().close()
  })

  test('search and the filter are in the address, and nothing found says what to do', async () => {
    const page = await visit.open('/console/')
    await page.getByRole('searchbox').fill('הכניסה')
    await page.getByRole('button', { name: 'Search' }).click()
    assert.deepEqual(await page.locator('.row h2 a').allInnerTexts(), ['נועם לוי'])
    assert.equal(new URL(page.url()).searchParams.get('q'), 'הכניסה')
    await page.getByLabel('Needs a person').check()
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByText('Nothing found').waitFor()
    await shoot(page, 'list-nothing-found')
    await page.getByRole('link', { name: 'Show all conversations' }).click()
    await page.locator('.row').first().waitFor()
    await page.context().close()
  })

  test('conversations are chosen by channel, language and who answers, with the keyboard and in the address', async () => {
    const page = await visit.open('/console/')
    await page.getByLabel('Language').selectOption({ label: 'Hebrew' })
    await page.getByLabel('Channel').selectOption({ label: 'WhatsApp' })
    await page.getByRole('button', { name: 'Search' }).press('Enter')
    const badges = page.locator('.row .badges')
    await page.getByText('Only conversations as chosen above').waitFor()
    assert.ok((await badges.allInnerTexts()).every(words => words.includes('Hebrew') && words.includes('WhatsApp')))
    assert.equal(new URL(page.url()).searchParams.get('language'), 'he')
    assert.equal(await page.getByLabel('Channel').inputValue(), 'whatsapp')
    await shoot(page, 'list-chosen')
    await page.goto(`${visit.scene.url}/console/?mode=draft&channel=pigeon`)
    await page.getByText('No conversation is as chosen above').waitFor()
    await page.context().close()
  })

  test('a business without conversations is told how to get its first', async () => {
    const page = await visit.openAnonymous('/console/')
    await logIn(page, visit.scene.newcomer)
    await page.getByText('No conversations yet').waitFor()
    await shoot(page, 'list-empty')
    await page.context().close()
  })

  test('Hebrew runs from right to left, and codes and numbers in it from left to right', async () => {
    const page = await visit.open(visit.thread('hebrew'))
    const said = page.locator('.said').first()
    assert.equal(await said.evaluate(element => getComputedStyle(element).direction), 'rtl')
    const words = page.locator('.said bdi')
    assert.deepEqual((await words.allInnerTexts()).slice(0, 2), ['12-AB', '+972 54 123 4567'])
    assert.equal(await words.first().evaluate(element => getComputedStyle(element).direction), 'ltr')
    // In one line the first word of a Hebrew sentence stands at the right end.
    const ends = await said.evaluate(element => {
      const text = /** @type {Text} */ (element.firstChild)
      const letter = (/** @type {number} */ place) => {
        const range = document.createRange()
        range.setStart(text, place)
        range.setEnd(text, place + 1)
        return range.getBoundingClientRect().left
      }
      return { first: letter(0), sixth: letter(5) }
    })
    assert.ok(ends.first > ends.sixth, JSON.stringify(ends))
    await shoot(page, 'thread-hebrew')
    await page.context().close()
  })

  test('an English thread runs from left to right and tells how each answer came about', async () => {
    const page = await visit.open(visit.thread('english'))
    const direction = await page.locator('.said').first().evaluate(element => getComputedStyle(element).direction)
    assert.equal(direction, 'ltr')
    const details = page.locator('details').first()
    await details.locator('summary').press('Enter')
    await details.getByText('Check-in and check-out').waitFor()
    await details.getByText('812 ms').waitFor()
    await shoot(page, 'thread-english')
    await page.context().close()
  })

  test('guest, AI and the host\'s own phone look and read apart', async () => {
    const page = await visit.open(visit.thread('handover'))
    const left = await box(page, '.bubble.guest')
    const right = await box(page, '.bubble.reply')
    assert.ok(left.x < right.x && left.x + left.width < right.x + right.width)
    await page.locator('.bubble.phone', { hasText: 'Business phone' }).waitFor()
    await page.getByText('The team was asked to help').waitFor()
    await page.getByText('Waiting for its answer').waitFor()
    await shoot(page, 'thread-handover')
    await page.context().close()
  })

  test('staff take over with the keyboard, write, and hand back', async () => {
    const page = await visit.open(visit.thread('hebrew'))
    await page.getByRole('button', { name: 'Take over' }).press('Enter')
    await page.getByText('You and the team answer this guest').waitFor()
    await page.locator('.event', { hasText: 'took over' }).waitFor()
    await page.getByLabel('Write to the guest').fill('שלום נועם, זו נועה')
    await page.getByRole('button', { name: 'Send' }).press('Enter')
    const said = page.locator('.bubble.staff', { hasText: 'זו נועה' })
    await said.getByText('Waiting to be sent').waitFor()
    assert.equal(await said.locator('.said').evaluate(element => getComputedStyle(element).direction), 'rtl')
    assert.deepEqual(await serious(page), [])
    await shoot(page, 'thread-taken-over')
    await page.getByRole('button', { name: 'Hand back to the desk' }).press('Enter')
    await page.locator('.event', { hasText: 'handed back to the desk' }).waitFor()
    await page.getByText('The desk answers this guest').waitFor()
    await page.context().close()
  })

  test('what a guest sent and how a call sounded is seen and heard in the thread', async () => {
    const page = await visit.open(visit.thread('call'), { bypassCSP: false })
    const width = await page.locator('.picture img').evaluate(async (/** @type {HTMLImageElement} */ image) => {
      image.loading = 'eager'
      await image.decode()
      return image.naturalWidth
    })
    assert.equal(width, 240)
    /** @type {[RegExp, number][]} */
    const sounds = [[/^Recording of the call/, 4], [/^Voice message/, 2]]
    for (const [name, seconds] of sounds) {
      const length = await page.getByLabel(name).evaluate(async (/** @type {HTMLAudioElement} */ player) => {
        const loaded = new Promise((resolve, reject) => {
          player.addEventListener('loadedmetadata', resolve)
          player.addEventListener('error', () => reject(new Error(player.error?.message)))
        })
        player.preload = 'metadata'
        player.load()
        await loaded
        return player.duration
      })
      assert.ok(Math.abs(length - seconds) < 0.1, `${name} lasts ${length} s`)
    }
    const saving = page.waitForEvent('download')
    await page.getByRole('link', { name: /^Save / }).click()
    assert.equal((await saving).suggestedFilename(), 'חוזה 2026 signed pdf.bin')
    await shoot(page, 'thread-call')
    await page.context().close()
  })

  test('a failed delivery says so in words', async () => {
    const page = await visit.open(visit.thread('failed'))
    await page.locator('.bubble.reply', { hasText: 'Not delivered' }).getByText('refused 463').waitFor()
    await shoot(page, 'thread-failed')
    await page.context().close()
  })

  test('a long thread opens at its newest message and pages back to its first', async () => {
    const page = await visit.open('/console/')
    await page.locator('.row').last().getByRole('link').click()
    await page.getByText('Answer 60', { exact: true }).waitFor()
    const top = (await box(page, '#latest')).y
    assert.ok(top >= 0 && top < DESKTOP.height, `the newest message is at ${top}`)
    await page.getByRole('link', { name: 'Earlier messages' }).click()
    await page.getByText('Question 1', { exact: true }).waitFor()
    assert.equal(await page.getByRole('link', { name: 'Earlier messages' }).count(), 0)
    await page.context().close()
  })

  test('a script in a guest\'s name and message is shown and does not run', async () => {
    for (const bypassCSP of [true, false]) {
      const page = await visit.open(visit.thread('script'), { bypassCSP })
      const said = await page.locator('.bubble.guest .said').innerText()
      assert.match(said, /^<script>document\.title/)
      assert.match(await page.title(), /^\(\d+\) Bobby <script>/)
      assert.equal(await page.locator('main script, main img').count(), 0)
      await page.goto(`${visit.scene.url}/console/`)
      assert.match(await page.title(), /^\(\d+\) Conversations/)
      await page.context().close()
    }
  })

  test('the pages keep to their own rules: nothing is blocked or missing', async () => {
    const page = await visit.open('/console/', { bypassCSP: false })
    /** @type {string[]} */
    const complaints = []
    page.on('console', message => complaints.push(message.text()))
    page.on('response', response => {
      if (response.status() >= 400) complaints.push(response.url())
    })
    for (const path of ['/console/', visit.thread('hebrew'), visit.thread('english')]) await page.goto(visit.scene.url + path)
    assert.deepEqual(complaints, [])
    await page.context().close()
  })

  for (const viewport of [PHONE, ZOOMED_TWICE, ZOOMED_FOUR_TIMES]) {
    test(`nothing is wider than a window of ${viewport.width} pixels`, async () => {
      const page = await visit.open('/console/', { viewport })
      for (const [name, path] of pages()) {
        await page.goto(visit.scene.url + path)
        await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
        assert.deepEqual(await wider(page), [], `${name} at ${viewport.width}`)
        await shoot(page, `${name}-${viewport.width}`)
      }
      await page.context().close()
    })
  }

  test('text of twice the size fits too', async () => {
    const page = await visit.open('/console/', { viewport: PHONE })
    for (const [name, path] of pages()) {
      await page.goto(visit.scene.url + path)
      await page.addStyleTag({ content: 'html { font-size: 200% }' })
      assert.deepEqual(await wider(page), [], name)
      await shoot(page, `${name}-large-text`)
    }
    await page.context().close()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      const page = await visit.open('/console/', { colorScheme })
      for (const [name, path] of pages()) {
        await page.goto(visit.scene.url + path)
        await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
        assert.deepEqual(await serious(page), [], `${name} in ${colorScheme}`)
        await shoot(page, `${name}-${colorScheme}`)
      }
      await page.context().clearCookies()
      await page.goto(`${visit.scene.url}/console/login`)
      assert.deepEqual(await serious(page), [], `login in ${colorScheme}`)
      await shoot(page, `login-${colorScheme}`)
      await page.context().close()
    })
  }

  /** @returns {Array<[string, string]>} names and addresses of pages that look different */
  function pages () {
    /** @type {Array<[string, string]>} */
    const threads = ['call', 'handover', 'english', 'hebrew', 'failed', 'long_words', 'script']
      .map(part => [part, visit.thread(part)])
    return [
      ['list', '/console/'],
      ['nothing', '/console/?q=zzz'],
      ['missing', '/console/conversations/999999'],
      ...threads
    ]
  }
})

/** @param {Page} page @param {string} selector */
async function box (page, selector) {
  const found = await page.locator(selector).first().boundingBox()
  assert.ok(found, `${selector} has no box`)
  return found
}
