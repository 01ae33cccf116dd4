import { makeLogger } from '../src/logger.js'

/** A real logger whose lines are kept for reading. */
export function makeQuietLogger () {
  /** @type {any[]} */
  const events = []
  const logger = makeLogger('debug', { write: line => void events.push(JSON.parse(line)) })
  return { logger, events, named: (/** @type {string} */ name) => events.filter(({ event }) => event === name) }
}
