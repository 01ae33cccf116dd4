/// <reference lib="dom" />
/* global location */

/** One call: sound on one side, the command's socket on the other. */

import { openSound } from './sound/sound.js'
import { following, said } from './stages.js'
import { hush, speak, spokenLanguages } from './voice.js'

/**
 * @typedef {import('./stages.js').CallEvent} CallEvent
 * @typedef {import('./stages.js').Stage} Stage
 */

/**
 * @typedef {object} Screen
 * @property {(stage: Stage) => void} stage what the call is at
 * @property {(event: CallEvent) => void} event what has happened
 * @property {(level: number) => void} spoke how loud the microphone is, 0 to 1
 * @property {(level: number, soundedMs: number) => void} heard how loud the desk is, and for how long it sounded
 * @property {(text: string) => void} trouble what is wrong, in words
 */

const NO_MICROPHONE = 'No microphone: allow it for this page, or type where the call takes text.'

/**
 * Place a call.
 * @param {Screen} screen
 */
export async function call (screen) {
  /** @type {Stage} */
  let stage = 'ringing'
  /** @type {WebSocket | undefined} */
  let socket
  /** @param {string | Uint8Array<ArrayBuffer>} message */
  const send = message => {
    if (socket?.readyState === WebSocket.OPEN) socket.send(message)
  }
  /** @param {Record<string, unknown>} message */
  const tell = message => send(JSON.stringify(message))
  screen.stage(stage)
  const sound = await openSound({
    frame ({ bytes, level }) {
      // The network's own recogniser is not here: it would take a voice for one that says nothing.
      if (stage !== 'sentences') send(bytes)
      screen.spoke(level)
    },
    reached: mark => tell({ type: 'played', mark }),
    sounds: screen.heard
  })
  if (sound.fault) screen.trouble(NO_MICROPHONE)

  /** @param {CallEvent} event */
  function happened (event) {
    const next = following(stage, event)
    screen.event(event)
    if (next !== stage) screen.stage(stage = next)
    const words = said(event)
    if (words) speak(words.text, words.language)
  }

  /** @param {any} message */
  function take ({ type, ...message }) {
    if (type === 'event') happened(message)
    if (type === 'mark') sound.mark(message.mark)
    if (type === 'clear') {
      sound.clear()
      hush()
    }
  }

  // Not before: a microphone may have to be allowed first.
  socket = new WebSocket(`ws://${location.host}/call`)
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('open', () => tell({ type: 'call', speaks: spokenLanguages() }))
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') take(JSON.parse(data))
    else sound.play(data)
  })
  // What is sounding or said aloud then is heard to its end.
  socket.addEventListener('close', async ({ code, reason }) => {
    if (stage !== 'ended') {
      screen.stage(stage = 'ended')
      screen.trouble(`The command has gone (${code}).`)
    }
    if (reason) screen.trouble(reason)
    await sound.close()
  })

  return {
    /** @param {string} key */
    press: key => tell({ type: 'key', key }),
    /** @param {boolean} isTyping */
    types: isTyping => tell({ type: 'typing', is_typing: isTyping }),
    /** @param {string} text */
    say: text => tell({ type: 'say', text }),
    hangUp () {
      hush()
      tell({ type: 'hang-up' })
    }
  }
}
