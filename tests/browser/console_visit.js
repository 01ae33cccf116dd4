/** A browser at the console's door, and within. */

import { startBrowser } from './browser.js'
import { startConsole } from './console_process.js'

/**
 * @typedef {import('playwright-core').BrowserContextOptions} Options
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('./console_process.js').Member} Member
 * @typedef {Awaited<ReturnType<typeof visitConsole>>} Visit
 */

export const DESKTOP = { width: 1280, height: 900 }
// A window of 1280 pixels at 400 % zoom: what WCAG 1.4.10 asks for.
export const ZOOMED_FOUR_TIMES = { width: 320, height: 225 }

/** Start the console over its scene, and log staff in once, so that not every test does. */
export async function visitConsole () {
  const { scene, stop } = await startConsole()
  const browser = await startBrowser()

  /**
   * Open a page as somebody who is not logged in. Scripts of ours run beside the page's policy.
   * @param {string} path
   * @param {Options} [options]
   */
  async function openAnonymous (path, options = {}) {
    const context = await browser.newContext({ viewport: DESKTOP, bypassCSP: true, ...options })
    const page = await context.newPage()
    await page.goto(scene.url + path)
    return page
  }

  const door = await openAnonymous('/console/login')
  await logIn(door, scene.staff)
  const loggedIn = await door.context().storageState()
  await door.context().close()

  return {
    scene,
    openAnonymous,
    /**
     * Open a page as staff.
     * @param {string} path
     * @param {Options} [options]
     */
    open: (path, options = {}) => openAnonymous(path, { storageState: loggedIn, ...options }),
    /** The address of a thread. @param {string} part in the scene */
    thread: part => `/console/conversations/${scene.threads[part]}`,
    async close () {
      await browser.close()
      await stop()
    }
  }
}

/**
 * Send a form, and wait for the page that answers it: a page that keeps itself up to date may show what has changed
 * before that one is there, and what is done on it then is lost.
 * @param {Page} page
 * @param {() => Promise<void>} act
 */
export async function send (page, act) {
  await Promise.all([page.waitForEvent('load'), act()])
}

/** @param {Page} page @param {Member} member */
export async function fillLogin (page, { name, password }) {
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** @param {Page} page @param {Member} member */
export async function logIn (page, member) {
  await fillLogin(page, member)
  await page.getByRole('heading', { level: 1, name: 'Conversations' }).waitFor()
}
