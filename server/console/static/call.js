/// <reference lib="dom" />

/** A call to the desk from the playground, through this computer's microphone and loudspeaker. */

import { openLine } from './call_line.js'
import { showLines } from './playground.js'
import { openSound } from './sound/sound.js'
import { openStream } from './stream.js'

// Between two sentences the desk is silent, and has not finished.
const PAUSE_MS = 500
const NORMAL = 1000
// Of the browser's errors those that have words of their own.
const KNOWN_FAULTS = ['NotAllowedError', 'NotFoundError']

/** @typedef {{call: string, token: string, stream: string}} Begun */

/** @type {{stream: string, source: ReturnType<typeof openStream>} | null} */
let followed = null
let refreshed = Promise.resolve()

const desk = document.getElementById('calling')
const form = document.querySelector('#call')
// Without a key for speech the page has no button.
if (desk && form instanceof HTMLFormElement) offerCalls(desk, form)

/** @param {HTMLElement} desk @param {HTMLFormElement} form */
function offerCalls (desk, form) {
  const words = /** @type {HTMLTemplateElement} */ (document.querySelector('#call-words')).content
  const state = /** @type {HTMLElement} */ (document.querySelector('#call-state'))
  const hangUp = /** @type {HTMLButtonElement} */ (document.querySelector('#hang-up'))
  const mute = /** @type {HTMLButtonElement} */ (document.querySelector('#mute'))
  /** @type {{hangUp: () => void, mute: (isMuted: boolean) => void} | null} */
  let call = null
  let isBusy = false
  let isAnswered = false

  if (!window.isSecureContext || !navigator.mediaDevices) return show('insecure')
  openStream(desk.dataset.stream ?? '', { ended: () => location.reload() }, isUp => {
    isAnswered = isUp
    offer()
    if (isBusy) return
    if (!isUp) show('unreachable')
    else if (desk.dataset.state === 'unreachable') show('')
  }).setWanted(true)

  form.addEventListener('submit', event => {
    event.preventDefault()
    if (!isBusy) place()
  })
  hangUp.addEventListener('click', () => call?.hangUp())
  mute.addEventListener('click', () => {
    const isMuted = mute.ariaPressed !== 'true'
    mute.ariaPressed = String(isMuted)
    call?.mute(isMuted)
  })
  window.addEventListener('pagehide', () => call?.hangUp())

  async function place () {
    isBusy = true
    show('connecting')
    offer()
    try {
      call = await placeCall(form, desk.dataset.url ?? '', { state: show, over: end })
      offer()
      hangUp.focus()
    } catch (error) {
      end(error instanceof CannotCall ? error.message : 'refused')
    }
  }

  /** @param {string} how */
  function end (how) {
    const hadFocus = document.activeElement === hangUp || document.activeElement === mute
    call = null
    isBusy = false
    show(how)
    offer()
    if (hadFocus) form.querySelector('button')?.focus()
  }

  /** What can be done now. */
  function offer () {
    form.hidden = isBusy || !isAnswered
    hangUp.hidden = mute.hidden = !call
    mute.ariaPressed = call ? mute.ariaPressed : 'false'
  }

  /** @param {string} name what the call is at */
  function show (name) {
    desk.dataset.state = name
    state.textContent = words.querySelector(`[data-state="${name}"]`)?.textContent ?? ''
  }
}

/** There is no call; the message is the name of why. */
class CannotCall extends Error {}

/**
 * Ask for the microphone, then for a call, and open its line.
 *
 * @param {HTMLFormElement} form
 * @param {string} address of the line
 * @param {{state: (name: string) => void, over: (how: string) => void}} tell
 */
async function placeCall (form, address, tell) {
  const voice = listenForVoice(tell.state)
  /** @type {ReturnType<typeof openLine> | undefined} */
  let line
  const sound = await openSound({
    frame: ({ bytes }) => line?.send(bytes),
    reached: number => line?.reached(number),
    sounds: (_level, soundedMs) => voice.sounds(soundedMs)
  })
  const begun = await begin(form, sound.fault).catch(async error => {
    await sound.close()
    throw error
  })
  const url = new URL(address, location.href)
  url.protocol = url.protocol.replace('http', 'ws')
  let isOver = false
  let isOpen = false
  line = openLine(url, begun, {
    opened () {
      isOpen = true
      voice.begin()
    },
    audio: sound.play,
    mark: sound.mark,
    clear: sound.clear,
    closed: (code, reason) => end(code === NORMAL && reason ? reason : isOpen ? 'lost' : 'refused')
  })
  followLines(begun.stream)

  /** @param {string} how */
  function end (how) {
    if (isOver) return
    isOver = true
    voice.end()
    sound.close()
    tell.over(how)
  }

  return {
    mute: sound.mute,
    hangUp () {
      line.hangUp()
      sound.clear()
      end('hung_up')
    }
  }
}

/**
 * @param {HTMLFormElement} form
 * @param {string} fault the microphone's
 * @returns {Promise<Begun>}
 */
async function begin (form, fault) {
  if (fault) throw new CannotCall(KNOWN_FAULTS.includes(fault) ? fault : 'no_microphone')
  const answer = await fetch(form.action, { method: 'POST', body: new FormData(form) })
  if (!answer.ok || answer.redirected) throw new CannotCall('refused')
  return answer.json()
}

/** Whether the desk speaks, from what sounds. @param {(name: string) => void} tell */
function listenForVoice (tell) {
  let isOn = false
  let isSpeaking = false
  let spokeAt = -Infinity
  return {
    begin () {
      isOn = true
      tell('listening')
    },
    /** @param {number} soundedMs since it was told last */
    sounds (soundedMs) {
      if (soundedMs > 0) spokeAt = performance.now()
      const speaks = performance.now() - spokeAt < PAUSE_MS
      if (!isOn || speaks === isSpeaking) return
      isSpeaking = speaks
      tell(speaks ? 'speaking' : 'listening')
    },
    end () {
      isOn = false
    }
  }
}

/** Have what is said on the page as soon as it is kept, also once the call is over. @param {string} stream */
function followLines (stream) {
  if (followed?.stream === stream) return
  followed?.source.setWanted(false)
  followed = { stream, source: openStream(stream, { changed: refresh }) }
  followed.source.setWanted(true)
}

function refresh () {
  // One after the other: an older answer must not come last.
  refreshed = refreshed.then(showLines).catch(() => {})
}
