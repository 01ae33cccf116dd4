import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Oversized, TooSlow, Unreachable } from '../src/errors.js'
import { parseMediaMessage } from '../src/media-message.js'
import { makeMedia } from '../src/media.js'
import { makeFakeClock, settle } from '../testing/fake-clock.js'
import { makeQuietLogger } from '../testing/quiet-logger.js'

const SETTINGS = { origin: undefined, mostBytes: 1000, timeLimitMs: 15_000 }

/** @param {object} [more] */
const voice = (more = {}) => parseMediaMessage({
  key: { remoteJid: '7@lid', id: 'A' },
  message: { audioMessage: { mediaKey: Buffer.alloc(32).toString('base64'), directPath: '/v/a', ...more } }
})

/** Over a host that never answers: a download ends only when it is given up. */
function arrange () {
  const clock = makeFakeClock()
  const { logger, named } = makeQuietLogger()
  let underWay = 0
  const downloader = {
    async* download (/** @type {URL} */ address, /** @type {{ signal: AbortSignal }} */ { signal }) {
      underWay += 1
      await new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Unreachable()))
      })
      underWay -= 1
      yield Buffer.alloc(0)
    }
  }
  const media = makeMedia({ settings: SETTINGS, downloader, findSocket: () => undefined, clock, logger })
  return { clock, media, named, underWay: () => underWay }
}

test('a few files at most come in at once, and the wait for a place counts', async () => {
  const { clock, media, named, underWay } = arrange()
  const asked = Array.from({ length: 6 }, () => assert.rejects(media.fetch('1', voice()), TooSlow))
  await settle()
  assert.equal(underWay(), 4)
  await clock.advance(15_000)
  await Promise.all(asked)
  assert.deepEqual(named('media').map(({ outcome, durationMs }) => [outcome, durationMs]), Array(6).fill(['too slow', 15_000]))
})

test('a file that says that it is too large is not asked for', async () => {
  const { media, underWay } = arrange()
  await assert.rejects(media.fetch('1', voice({ fileLength: 1001 })), Oversized)
  assert.equal(underWay(), 0)
})

test('no timer is left of a fetch that has ended', async () => {
  const { clock, media } = arrange()
  await assert.rejects(media.fetch('1', voice({ fileLength: 1001 })))
  assert.deepEqual(clock.pending(), [])
})
