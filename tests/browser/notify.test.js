/// <reference lib="dom" />
/* global document, Notification */

import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import { startBrowser } from './browser.js'
import { logIn, startDesk } from './live_desk.js'
import { serious } from './page_checks.js'

/**
 * @typedef {import('playwright-core').BrowserContext} Context
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./live_desk.js').Member} Member
 * @typedef {{title: string, body: string, isClosed: boolean}} Shown
 */

const ACCOUNT = '/console/account'
const HELLO = 'Notifications look like this.'
const NEED = 'A guest needs a person.'

describe('who waits for a person', () => {
  /** @type {import('playwright-core').Browser} */
  let browser
  /** @type {import('./live_desk.js').Desk} */
  let desk
  /** Where those who wait are met, on pages that stay as they came. @type {Context} */
  let meeting
  let thread = ''

  before(async () => {
    desk = await startDesk()
    browser = await startBrowser()
    meeting = await logIn(browser, desk.scene, desk.scene.staff[1], { javaScriptEnabled: false })
    const dan = await visit(desk.scene.staff[1])
    const page = await open(dan, '/console/')
    await desk.tell({ say: 'Hello, when is check-in?' })
    thread = String(await page.locator('.row h2 a').getAttribute('href')).replace('#latest', '')
    await close(dan)
  })

  after(async () => {
    await browser?.close()
    await desk?.stop()
  })

  test('is counted up and down in the title and the head of every page, with no notification unasked', async () => {
    const noa = await visit(desk.scene.staff[0])
    const [account, list] = [await open(noa, ACCOUNT), await open(noa, '/console/')]
    const stranger = await open(await visit(desk.scene.stranger), ACCOUNT)
    const head = account.getByRole('link', { name: 'Conversations 1 waiting' })
    assert.equal(await head.count(), 0)
    await need('May I speak with a human, please?')
    await Promise.all([title(account, /^\(1\) Your account/), title(list, /^\(1\) Conversations/), head.waitFor()])
    assert.deepEqual(await serious(account), [])
    await meet()
    await Promise.all([title(account, /^Your account/), title(list, /^Conversations/), head.waitFor({ state: 'detached' })])
    for (const page of [account, list, stranger]) assert.deepEqual(await shown(page), [])
    assert.match(await stranger.title(), /^Your account/)
    await close(noa, stranger.context())
  })

  test('is told once by all the pages of a browser together, with no word of the guest\'s', async () => {
    const [noa, stranger] = [await visit(desk.scene.staff[0]), await visit(desk.scene.stranger)]
    const [pages, theirs] = [[await switchedOn(noa)], await switchedOn(stranger)]
    for (const path of ['/console/', '/console/knowledge', thread]) pages.push(await open(noa, path))
    await need('I would like to talk to a real person')
    await pages[0].waitForFunction(() => Reflect.get(Notification, 'shown').length > 1)
    await Promise.all(pages.map(page => title(page, /^\(1\) /)))
    const all = (await Promise.all(pages.map(shown))).flat().filter(({ body }) => body !== HELLO)
    assert.deepEqual(all.map(({ body }) => body), [NEED])
    assert.ok(!JSON.stringify(all).includes(desk.scene.guest))

    const opens = noa.waitForEvent('page')
    await pages[0].evaluate(() => Reflect.get(Notification, 'shown').at(-1).dispatchEvent(new Event('click')))
    const opened = await opens
    await opened.waitForURL(url => url.pathname === thread)
    await meet()
    await Promise.all(pages.map(page => title(page, /^[^(]/)))
    assert.ok((await shown(pages[0])).at(-1)?.isClosed)
    assert.deepEqual(bodies(await shown(theirs)), [HELLO])
    await close(noa, stranger)
  })

  test('is told by a page that is left when the one that told has gone, and not if they waited before', async () => {
    const noa = await visit(desk.scene.staff[0])
    const first = await switchedOn(noa)
    await need('Is there a person I can talk to?')
    await title(first, /^\(1\) /)
    const second = await open(noa, '/console/knowledge', false)
    await title(second, /^\(1\) /)
    const listens = streamOf(second)
    await first.close()
    await listens
    await meet()
    await title(second, /^[^(]/)
    assert.deepEqual(await shown(second), [])
    await need('I want to speak to the manager')
    await title(second, /^\(1\) /)
    assert.deepEqual(bodies(await shown(second)), [NEED])
    await meet()
    await close(noa)
  })

  test('is told by a page that nobody sees', async () => {
    const noa = await visit(desk.scene.staff[0])
    await (await switchedOn(noa)).close()
    await noa.addInitScript(() => Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' }))
    const page = await open(noa, '/console/')
    await need('Please connect me to a human')
    await title(page, /^\(1\) /)
    assert.deepEqual(bodies(await shown(page)), [NEED])
    await meet()
    await close(noa)
  })

  test('takes no stream beside that of a page that keeps itself up to date', async () => {
    const noa = await visit(desk.scene.staff[0])
    /** @type {string[]} */
    const asked = []
    noa.on('request', request => {
      if (new URL(request.url()).pathname === '/console/live') asked.push(new URL(request.url()).search)
    })
    const page = await open(noa, '/console/')
    // Whether another was asked for is known once this one has the lock.
    await page.waitForFunction(async () => ((await navigator.locks.query()).held ?? []).length > 0)
    assert.deepEqual(asked, [''])
    await close(noa)
  })

  test('is told no more once that is switched off', async () => {
    const noa = await visit(desk.scene.staff[0])
    const page = await switchedOn(noa)
    await page.getByRole('button', { name: 'Notify me no more' }).click()
    await page.locator('button:focus', { hasText: 'Notify me in this browser' }).waitFor()
    await need('Could a human answer me?')
    await title(page, /^\(1\) /)
    assert.deepEqual(bodies(await shown(page)), [HELLO])
    await meet()
    await close(noa)
  })

  test('cannot be told by a browser that refuses, and the page says what to do', async () => {
    const noa = await visit(desk.scene.staff[0], 'denied')
    const page = await open(noa, ACCOUNT)
    assert.equal(await page.evaluate(() => Notification.permission), 'default')
    await page.getByRole('button', { name: 'Notify me in this browser' }).click()
    await page.getByText('The browser refuses notifications').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Notify me' }).count(), 0)
    assert.deepEqual(await serious(page), [])
    await close(noa)
  })

  /** The guest asks for a person. @param {string} words */
  async function need (words) {
    await desk.tell({ say: words })
  }

  /** Somebody takes over, and leaves the next question to the desk again. */
  async function meet () {
    const page = await meeting.newPage()
    await page.goto(desk.scene.url + thread)
    for (const name of ['Take over', 'Hand back']) {
      await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name }).click()])
    }
    await page.close()
  }

  /**
   * A browser of a member's.
   * @param {Member} member
   * @param {string} [answer] its reader's, when it is asked for leave
   */
  async function visit (member, answer = 'granted') {
    const context = await logIn(browser, desk.scene, member)
    await context.addInitScript(recordNotifications, answer)
    return context
  }

  /** @param {Context} context @param {string} path @param {boolean} [listens] whether it is the one that does */
  async function open (context, path, listens = context.pages().length === 0 || path === '/console/' || path === thread) {
    const page = await context.newPage()
    const stream = listens ? streamOf(page) : null
    await page.goto(desk.scene.url + path)
    await stream
    return page
  }

  /** A page of a browser that has been told to notify. @param {Context} context */
  async function switchedOn (context) {
    const page = await open(context, ACCOUNT)
    await page.getByRole('button', { name: 'Notify me in this browser' }).click()
    await page.getByText('This browser notifies you').waitFor()
    assert.deepEqual(bodies(await shown(page)), [HELLO])
    return page
  }
})

/**
 * In place of the browser's own, which shows nothing here: keeps what would be shown.
 * @param {string} answer
 */
function recordNotifications (answer) {
  class Recorder extends EventTarget {
    /** @type {Recorder[]} */
    static shown = []
    isClosed = false

    static get permission () {
      return localStorage.getItem('test.permission') ?? 'default'
    }

    static async requestPermission () {
      localStorage.setItem('test.permission', answer)
      return answer
    }

    /** @param {string} title @param {NotificationOptions} options */
    constructor (title, options) {
      super()
      Object.assign(this, { title, body: options.body })
      Recorder.shown.push(this)
    }

    close () {
      this.isClosed = true
    }
  }
  Reflect.set(globalThis, 'Notification', Recorder)
}

/** @param {Page} page @returns {Promise<Shown[]>} */
function shown (page) {
  return page.evaluate(() => Reflect.get(Notification, 'shown').map((/** @type {Shown} */ one) => ({ ...one })))
}

/** @param {Shown[]} notifications */
function bodies (notifications) {
  return notifications.map(({ body }) => body)
}

/** Wait for a title. @param {Page} page @param {RegExp} like */
async function title (page, like) {
  await page.waitForFunction(pattern => new RegExp(pattern).test(document.title), like.source)
}

/** A page's stream, once it is there. @param {Page} page */
async function streamOf (page) {
  const answer = await page.waitForResponse(one => new URL(one.url()).pathname === '/console/live')
  assert.equal(answer.status(), 200)
}

/** @param {Context[]} contexts */
async function close (...contexts) {
  for (const context of contexts) await context.close()
}
