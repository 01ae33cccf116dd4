/** A Python program in a process of its own that speaks JSON, a value a line. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
// The first line comes once it has started.
const LINE_TIMEOUT_MS = 180_000

/** @typedef {ReturnType<typeof startPython>} PythonProcess */

/**
 * Start a module. It ends with its standard input, and so when this process dies.
 * @param {string} module
 */
export function startPython (module) {
  const own = `${ROOT}.venv/bin/python`
  const python = process.env.PYTHON ?? (existsSync(own) ? own : 'python3')
  const child = spawn(python, ['-m', module], { cwd: ROOT, stdio: ['pipe', 'pipe', 'pipe'] })
  let errors = ''
  child.stderr.on('data', text => {
    errors += text
  })
  // Once all that it has said is read.
  const ended = once(child, 'close')
  const lines = createInterface(child.stdout)

  return {
    /**
     * The next line that it says from now on.
     * @returns {Promise<any>}
     */
    async next () {
      const line = once(lines, 'line', { signal: AbortSignal.timeout(LINE_TIMEOUT_MS) })
      const said = await Promise.race([line, ended.then(() => null)])
      if (said === null) throw new Error(`${module} has ended: ${errors}`)
      return JSON.parse(said[0])
    },
    /** @param {unknown} what */
    tell (what) {
      child.stdin.write(`${JSON.stringify(what)}\n`)
    },
    /** End it, and wait until it has ended. */
    async stop () {
      child.stdin.end()
      await ended
    }
  }
}
