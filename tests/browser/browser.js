/** A Chromium that comes with npm: no root, no download of its own, and no calls home. */

import { tmpdir } from 'node:os'
import { join } from 'node:path'

import chromium from '@sparticuz/chromium'
import { chromium as playwright } from 'playwright-core'

// In a single process the browser would end with the first context that is closed; and what it would refuse to
// guests and staff, it is to refuse here.
const NOT_WANTED = ['--single-process', '--disable-web-security', '--allow-running-insecure-content']

const QUIET = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-default-apps',
  '--no-first-run',
  // Nothing but this machine has a name.
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'
]

/**
 * Start the browser. It brings a font that has Hebrew, which is used on every machine so that pages look alike.
 * @param {string[]} [flags] more of Chromium's own
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function startBrowser (flags = []) {
  return playwright.launch({
    args: [...chromium.args.filter(flag => !NOT_WANTED.includes(flag)), ...QUIET, ...flags],
    executablePath: await chromium.executablePath(),
    // Names of files in Hebrew need a locale that has them, also where the machine has set none.
    env: { ...process.env, LC_ALL: 'C.UTF-8', FONTCONFIG_PATH: join(tmpdir(), 'fonts') }
  })
}
