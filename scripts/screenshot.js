/**
 * Pictures of console pages, as staff see them.
 * Usage: node scripts/screenshot.js BASE_URL NAME PASSWORD PATH OUT.png [PATH OUT.png ...]
 */

import { startBrowser } from '../tests/browser/browser.js'

const [base, name, password, ...pictures] = process.argv.slice(2)
const browser = await startBrowser()
try {
  const page = await browser.newPage({ viewport: { width: 760, height: 600 }, deviceScaleFactor: 2 })
  await page.goto(`${base}/console/login`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  for (let place = 0; place < pictures.length; place += 2) {
    await page.goto(base + pictures[place])
    // The mouse and the cursor are nobody's business.
    await page.evaluate(() => /** @type {HTMLElement | null} */ (document.activeElement)?.blur())
    await page.screenshot({ path: pictures[place + 1], fullPage: true })
  }
} finally {
  await browser.close()
}
