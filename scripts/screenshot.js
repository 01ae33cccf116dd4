/**
 * Pictures of console pages, as staff see them.
 * Usage: node scripts/screenshot.js BASE_URL NAME PASSWORD PATH OUT.png [PATH OUT.png ...]
 */

import { startBrowser } from '../tests/browser/browser.js'

const WIDTH = 1000
// What is further down is more of the same.
const TALLEST = 1100

const [base, name, password, ...pictures] = process.argv.slice(2)
const browser = await startBrowser()
try {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 600 }, deviceScaleFactor: 1.5 })
  await page.goto(`${base}/console/login`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  for (let place = 0; place < pictures.length; place += 2) {
    await page.goto(base + pictures[place])
    // The mouse and the cursor are nobody's business.
    await page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement)?.blur())
    const height = await page.evaluate(() => document.documentElement.scrollHeight)
    const clip = { x: 0, y: 0, width: WIDTH, height: Math.min(height, TALLEST) }
    await page.screenshot({ path: pictures[place + 1], fullPage: true, clip })
  }
} finally {
  await browser.close()
}
