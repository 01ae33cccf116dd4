/// <reference lib="dom" />
/* global document */

import { call } from './phone.js'
import { said } from './stages.js'

/** @typedef {import('./stages.js').Stage} Stage */

/** @type {Record<Stage, string>} */
const STAGES = {
  idle: 'Not in a call',
  ringing: 'Ringing',
  talking: 'Talking',
  stream: 'Talking: media socket',
  sentences: 'Talking: sentence by sentence',
  message: 'Taking a message',
  transfer: 'Put through to a person',
  ended: 'The call has ended'
}
const KEYS = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const part = id => /** @type {T} */ (document.getElementById(id))

const page = {
  stage: part('stage'),
  trouble: part('trouble'),
  call: /** @type {HTMLButtonElement} */ (part('call')),
  hangUp: /** @type {HTMLButtonElement} */ (part('hang-up')),
  keys: part('keys'),
  spoke: /** @type {HTMLMeterElement} */ (part('spoke')),
  heard: /** @type {HTMLMeterElement} */ (part('heard')),
  heardFor: part('heard-for'),
  say: /** @type {HTMLFormElement} */ (part('say')),
  text: /** @type {HTMLInputElement} */ (part('text')),
  lines: part('lines'),
  events: part('events')
}

/** @type {Awaited<ReturnType<typeof call>> | null} */
let phone = null
let heardMs = 0
let isTyping = false

const screen = {
  /** @param {Stage} stage */
  stage (stage) {
    const isCalling = stage !== 'idle' && stage !== 'ended'
    document.body.dataset.stage = stage
    page.stage.textContent = STAGES[stage]
    page.call.disabled = isCalling
    page.hangUp.disabled = !isCalling
    for (const key of page.keys.querySelectorAll('button')) key.disabled = !isCalling
    page.say.hidden = stage !== 'sentences'
    if (page.say.hidden) page.text.value = ''
    tellTyping()
    if (isCalling) return
    phone = null
    page.spoke.value = page.heard.value = 0
  },

  /** @param {import('./stages.js').CallEvent} event */
  event (event) {
    const words = said(event)
    if (words) addLine('desk', words.text, words.language)
    const row = document.createElement('li')
    const kind = document.createElement('b')
    kind.textContent = event.kind
    const detail = document.createElement('bdi')
    detail.textContent = words ? words.text : event.detail
    row.append(`${event.at.toFixed(1)} `, kind, ' ', detail)
    page.events.append(row)
    row.scrollIntoView({ block: 'nearest' })
  },

  /** @param {number} level */
  spoke (level) {
    page.spoke.value = asSeen(level)
  },

  /** @param {number} level @param {number} soundedMs */
  heard (level, soundedMs) {
    page.heard.value = asSeen(level)
    heardMs += soundedMs
    page.heardFor.textContent = `${(heardMs / 1000).toFixed(1)} s`
  },

  /** @param {string} text */
  trouble (text) {
    page.trouble.textContent = text
    page.trouble.hidden = !text
  }
}

/** Loudness is told apart by its ratio: a quiet voice must be seen too. @param {number} level */
function asSeen (level) {
  return Math.sqrt(level)
}

/** @param {'desk' | 'caller'} who @param {string} text @param {string} [language] */
function addLine (who, text, language) {
  const line = document.createElement('p')
  line.className = who
  line.dir = 'auto'
  if (language) line.lang = language
  line.textContent = text
  page.lines.append(line)
  line.scrollIntoView({ block: 'nearest' })
}

/** The network takes a caller who types for one who speaks, from the first letter on. */
function tellTyping () {
  const isTypingNow = page.text.value !== ''
  if (isTypingNow !== isTyping) phone?.types(isTypingNow)
  isTyping = isTypingNow
}

async function dial () {
  heardMs = 0
  page.lines.replaceChildren()
  page.events.replaceChildren()
  screen.trouble('')
  try {
    phone = await call(screen)
  } catch (error) {
    screen.stage('ended')
    screen.trouble(`This browser cannot call: ${error instanceof Error ? error.message : error}`)
  }
}

/** @param {string} key */
function press (key) {
  phone?.press(key)
}

for (const key of KEYS) {
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = key
  button.addEventListener('click', () => press(key))
  page.keys.append(button)
}
page.call.addEventListener('click', dial)
page.hangUp.addEventListener('click', () => phone?.hangUp())
page.text.addEventListener('input', tellTyping)
page.say.addEventListener('submit', event => {
  event.preventDefault()
  const text = page.text.value.trim()
  if (!text) return
  phone?.say(text)
  addLine('caller', text)
  page.text.value = ''
  tellTyping()
})
document.addEventListener('keydown', ({ key, target }) => {
  if (target !== page.text && KEYS.includes(key)) press(key)
})
screen.stage('idle')
