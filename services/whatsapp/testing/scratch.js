import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../src/store.js'

/**
 * A directory that is gone when the test has ended.
 *
 * @param {{ after: (ending: () => unknown) => void }} t
 */
export function scratchDirectory (t) {
  const directory = mkdtempSync(join(tmpdir(), 'sidecar-'))
  // lmdb's commits do not keep a process alive by themselves.
  const alive = setInterval(() => {}, 60_000)
  t.after(() => {
    clearInterval(alive)
    rmSync(directory, { recursive: true, force: true })
  })
  return directory
}

/** @param {import('node:test').TestContext} t */
export function scratchStore (t) {
  const store = openStore(join(scratchDirectory(t), 'whatsapp'))
  t.after(() => store.close())
  return store
}
