/** The desk with its real processes, as the tests of pages that stay open need it; see serve_live.py. */

import { startPython } from './python_process.js'

/**
 * @typedef {import('playwright-core').Browser} Browser
 * @typedef {{name: string, password: string}} Member
 * @typedef {{url: string, guest: string, staff: Member[], stranger: Member}} Scene
 * @typedef {Awaited<ReturnType<typeof startDesk>>} Desk
 */

/** Start it. */
export async function startDesk () {
  const python = startPython('tests.browser.serve_live')
  /** @type {Scene} */
  const scene = await python.next()
  return {
    scene,
    /** Have something happen, and wait until it has. @param {Record<string, string>} what */
    async tell (what) {
      const done = python.next()
      python.tell(what)
      await done
    },
    stop: python.stop
  }
}

/**
 * A browser of a member's own, logged in.
 * @param {Browser} browser
 * @param {{url: string}} scene
 * @param {Member} member
 * @param {import('playwright-core').BrowserContextOptions} [options]
 */
export async function logIn (browser, { url }, { name, password }, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options })
  const page = await context.newPage()
  await page.goto(`${url}/console/`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Conversations' }).waitFor()
  await page.close()
  return context
}
