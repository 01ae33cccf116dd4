/** What is looked at on every page, whatever it is for. */

/// <reference lib="dom" />
/* global document */

import { mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** @typedef {import('playwright-core').Page} Page */

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/**
 * All that axe finds.
 * @param {Page} page
 */
export async function findings (page) {
  await page.evaluate(axeSource)
  const violations = await page.evaluate(async () => {
    const axe = /** @type {typeof import('axe-core')} */ (Reflect.get(globalThis, 'axe'))
    return (await axe.run()).violations
  })
  return violations.map(({ id, impact, nodes }) => ({ id, impact, where: nodes.map(node => node.html).join(' ') }))
}

/**
 * Accessibility findings that keep somebody out.
 * @param {Page} page
 */
export async function serious (page) {
  return (await findings(page)).filter(({ impact }) => impact === 'serious' || impact === 'critical')
}

/**
 * What sticks out of the window or of its bubble sideways.
 * @param {Page} page
 * @returns {Promise<string[]>}
 */
export function wider (page) {
  return page.evaluate(() => {
    const whole = { left: 0, right: document.documentElement.clientWidth }
    const isHidden = (/** @type {Element} */ element) => element.closest('.hidden, .skip, .snippet') !== null
    return [...document.body.querySelectorAll('*')]
      .filter(element => !isHidden(element))
      .filter(element => {
        const { left, right } = element.getBoundingClientRect()
        const frame = element.closest('.bubble')?.getBoundingClientRect() ?? whole
        return left < frame.left - 0.5 || right > frame.right + 0.5 || right > whole.right + 0.5
      })
      .map(element => element.outerHTML.slice(0, 80))
  })
}

/**
 * By how many pixels the page is wider than its window.
 * @param {Page} page
 */
export function overflow (page) {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
}

/**
 * Keep a picture of the page if SCREENSHOTS_DIR says where.
 * @param {Page} page
 * @param {string} name
 */
export async function shoot (page, name) {
  const folder = process.env.SCREENSHOTS_DIR
  if (!folder) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true })
}
