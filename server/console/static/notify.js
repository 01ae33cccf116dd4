/**
 * Tells how many guests wait for a person: in the page's title, beside "Conversations", and where the reader wants
 * it so with a notification on the desktop. Of all pages that a browser has open one listens for the others, and
 * notifies; a page whose live part listens needs no stream beside that one.
 */

/// <reference lib="dom" />

import { openStream } from './stream.js'

const COME_BACK_MS = 10_000
const MOST_COUNTED = 99
const REMEMBERED = 'frontdesk.notify'

/** A conversation, and since when it needs a person. @typedef {[id: number, since: string]} Need */

const badge = document.getElementById('waiting')
// A page that nobody is logged in to has none.
const desk = badge && keepCounting(badge)

/**
 * The page has learned who waits.
 * @param {Need[]} needs
 */
export function tellWaiting (needs) {
  desk?.tell(needs)
}

/** Whether this browser notifies. */
export function isOn () {
  return localStorage.getItem(REMEMBERED) === 'on' && Notification.permission === 'granted'
}

/** @param {boolean} wanted */
export function remember (wanted) {
  localStorage.setItem(REMEMBERED, wanted ? 'on' : 'off')
}

/**
 * A notification that this business's console shows.
 * @param {string} body
 * @param {string} tag one with the same takes its place
 */
export function notify (body, tag) {
  const { lang, dir } = document.documentElement
  return new Notification(badge?.dataset.business ?? '', { body, tag, lang, dir: dir === 'rtl' ? 'rtl' : 'ltr' })
}

/** @param {HTMLElement} badge */
function keepCounting (badge) {
  const { stream = '', needs = '[]', reader = '', told = '', thread = '' } = badge.dataset
  const room = `frontdesk.waiting.${reader}`
  const others = new BroadcastChannel(room)
  const count = badge.querySelector('.count')
  const title = titleWithout(count?.textContent ?? '')
  const hasLivePart = document.getElementById('live') !== null
  /** @type {Map<string, Notification>} */
  const notified = new Map()
  // What waited when the page was made is news to nobody who looks at it.
  let known = keysOf(JSON.parse(needs))
  // Whether this page is the one that listens for all.
  let speaks = false
  let isOver = false
  /** Let another page be that one. */
  let resign = () => {}

  const own = openStream(stream, {
    waiting: tell,
    ended: () => {
      isOver = true
      listen()
      resign()
    }
  })

  others.addEventListener('message', event => take(event.data))
  document.addEventListener('visibilitychange', listen)
  setInterval(listen, COME_BACK_MS)
  // Pages that come by plain http from elsewhere have no locks, and may not notify: there each that is seen listens.
  navigator.locks?.request(room, () => {
    if (isOver) return
    speaks = true
    listen()
    return new Promise(resolve => {
      resign = () => {
        speaks = false
        resolve(undefined)
      }
    })
  })
  listen()
  return { tell }

  function listen () {
    const isSeen = document.visibilityState === 'visible'
    const isItsTurn = navigator.locks ? speaks : isSeen
    own.setWanted(!isOver && isItsTurn && !(hasLivePart && isSeen))
  }

  /** @param {Need[]} needs */
  function tell (needs) {
    const news = take(needs)
    if (!speaks) return
    others.postMessage(needs)
    if (isOn()) news.forEach(call)
  }

  /** Show *needs*. @param {Need[]} needs @returns {Need[]} those that are new */
  function take (needs) {
    const news = needs.filter(need => !known.has(keyOf(need)))
    known = keysOf(needs)
    show(needs.length)
    for (const [key, notification] of notified) {
      if (known.has(key)) continue
      notification.close()
      notified.delete(key)
    }
    return news
  }

  /** @param {Need} need */
  function call (need) {
    const notification = notify(told, `${room} ${keyOf(need)}`)
    notification.addEventListener('click', () => {
      notification.close()
      // On a page of its own: here somebody may be writing.
      open(thread.replace(/0$/, String(need[0])))
    })
    notified.set(keyOf(need), notification)
  }

  /** @param {number} number */
  function show (number) {
    const shown = number > MOST_COUNTED ? `${MOST_COUNTED}+` : String(number)
    document.title = number ? `(${shown}) ${title}` : title
    badge.hidden = number === 0
    if (count) count.textContent = shown
  }
}

/** The page's title without how many waited when it was made. @param {string} count */
function titleWithout (count) {
  const before = `(${count}) `
  return document.title.startsWith(before) ? document.title.slice(before.length) : document.title
}

/** @param {Need} need */
function keyOf ([id, since]) {
  return `${id} ${since}`
}

/** @param {Need[]} needs */
function keysOf (needs) {
  return new Set(needs.map(keyOf))
}
