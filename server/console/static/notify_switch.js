/** The switch for notifications, of this browser alone. The browser is asked for leave on a click and never before. */

/// <reference lib="dom" />

import { isOn, notify, remember } from './notify.js'

/** @typedef {'insecure' | 'unable' | 'refused' | 'off' | 'on'} State */

const part = document.getElementById('notify')
if (part) serve(part)

/** @param {HTMLElement} part */
function serve (part) {
  let isUnable = false

  button('off')?.addEventListener('click', async () => {
    remember(await Notification.requestPermission() === 'granted' && saysHello())
    show()
    focus()
  })
  button('on')?.addEventListener('click', () => {
    remember(false)
    show()
    focus()
  })
  show()

  /** Show one, as the ones to come will look. @returns {boolean} whether the browser can */
  function saysHello () {
    try {
      notify(part.dataset.hello ?? '', 'frontdesk.hello')
    } catch {
      // Browsers of phones ask for leave, and then show none of a page's.
      isUnable = true
    }
    return !isUnable
  }

  /** @returns {State} */
  function state () {
    if (!isSecureContext) return 'insecure'
    if (!('Notification' in globalThis) || isUnable) return 'unable'
    if (Notification.permission === 'denied') return 'refused'
    return isOn() ? 'on' : 'off'
  }

  function show () {
    const now = state()
    for (const one of part.querySelectorAll('[data-state]')) {
      one.toggleAttribute('hidden', one.getAttribute('data-state') !== now)
    }
  }

  /** What was clicked is gone: its reader goes on where its place is taken. */
  function focus () {
    const shown = part.querySelector('[data-state]:not([hidden])')
    const place = shown?.querySelector('button') ?? shown
    if (place instanceof HTMLElement) place.focus()
  }

  /** @param {State} of */
  function button (of) {
    return part.querySelector(`[data-state="${of}"] button`)
  }
}
