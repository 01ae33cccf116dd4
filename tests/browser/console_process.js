/** The console in a process of its own, as the browser tests need it. */

import { startPython } from './python_process.js'

/**
 * @typedef {{name: string, password: string}} Member
 * @typedef {{url: string, staff: Member, newcomer: Member, busy: Member, threads: Record<string, number>}} Scene
 */

/**
 * Start the console over a scratch database.
 * @returns {Promise<{scene: Scene, stop: () => Promise<void>}>}
 */
export async function startConsole () {
  const python = startPython('tests.browser.serve_console')
  return { scene: await python.next(), stop: python.stop }
}
