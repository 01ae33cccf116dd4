/**
 * How soon a page of the console is first painted in a real browser: `node bench/first_paint.js`.
 *
 * Reads `{"base", "cookie": {"name", "value"}, "paths": {KIND: PATH}, "rounds"}` as JSON from standard input and
 * writes `{KIND: [milliseconds]}`. The browser keeps nothing between two rounds.
 */

/// <reference lib="dom" />

import { text } from 'node:stream/consumers'

import { startBrowser } from '../tests/browser/browser.js'

/**
 * @typedef {{base: string, cookie: {name: string, value: string}, paths: Record<string, string>, rounds: number}} Task
 */

const WINDOW = { width: 1280, height: 900 }

/**
 * From the start of the navigation to the first contentful paint.
 * @param {import('playwright-core').Browser} browser
 * @param {Task} task
 * @param {string} path
 * @returns {Promise<number>}
 */
async function paint (browser, task, path) {
  const context = await browser.newContext({ viewport: WINDOW })
  try {
    await context.addCookies([{ ...task.cookie, url: task.base }])
    const page = await context.newPage()
    const answer = await page.goto(task.base + path)
    if (answer === null || !answer.ok() || new URL(page.url()).pathname.endsWith('/login')) {
      throw new Error(`${path} was not shown`)
    }
    return await page.evaluate(() => new Promise(resolve => {
      new PerformanceObserver(list => {
        for (const entry of list.getEntriesByName('first-contentful-paint')) resolve(entry.startTime)
      }).observe({ type: 'paint', buffered: true })
    }))
  } finally {
    await context.close()
  }
}

/** @type {Task} */
const task = JSON.parse(await text(process.stdin))
/** @type {Record<string, number[]>} */
const found = {}
const browser = await startBrowser()
try {
  for (let round = 0; round < task.rounds; round += 1) {
    for (const [kind, path] of Object.entries(task.paths)) {
      found[kind] = [...found[kind] ?? [], await paint(browser, task, path)]
    }
  }
} finally {
  await browser.close()
}
process.stdout.write(`${JSON.stringify(found)}\n`)
