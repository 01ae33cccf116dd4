/**
 * A picture of a console page, as staff see it.
 * Usage: node scripts/screenshot.js BASE_URL NAME PASSWORD PATH OUT.png
 */

import { startBrowser } from '../tests/browser/browser.js'

const [base, name, password, path, out] = process.argv.slice(2)
const browser = await startBrowser()
try {
  const page = await browser.newPage({ viewport: { width: 760, height: 600 }, deviceScaleFactor: 2 })
  await page.goto(`${base}/console/login`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.goto(base + path)
  await page.screenshot({ path: out, fullPage: true })
} finally {
  await browser.close()
}
