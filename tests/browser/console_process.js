/** The console in a process of its own, as the browser tests need it. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_TIMEOUT_MS = 120_000

/**
 * @typedef {{name: string, password: string}} Member
 * @typedef {{url: string, staff: Member, newcomer: Member, threads: Record<string, number>}} Scene
 */

/**
 * Start the console over a scratch database.
 * @returns {Promise<{scene: Scene, stop: () => Promise<void>}>}
 */
export async function startConsole () {
  const own = `${ROOT}.venv/bin/python`
  const python = process.env.PYTHON ?? (existsSync(own) ? own : 'python3')
  const child = spawn(python, ['-m', 'tests.browser.serve_console'], {
    cwd: ROOT,
    stdio: ['pipe', 'pipe', 'pipe']
  })
  let errors = ''
  child.stderr.on('data', text => {
    errors += text
  })
  const exited = once(child, 'exit')
  const ready = once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(START_TIMEOUT_MS) })
  const first = await Promise.race([ready, exited.then(() => null)])
  if (first === null) throw new Error(`the console did not start: ${errors}`)

  return {
    scene: JSON.parse(first[0]),
    async stop () {
      // The end of its standard input is what it waits for; it ends as well when this process dies.
      child.stdin.end()
      await exited
    }
  }
}
