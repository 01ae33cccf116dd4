/**
 * Keeps a page of the console up to date. The stream says that something has changed, and the page's live part
 * is then asked for again and put into place: what the reader does there goes on.
 */

/// <reference lib="dom" />

import { tellWaiting } from './notify.js'
import { openStream } from './stream.js'

const POLL_MS = 10_000
// The stream tells of the newest conversations, and of a thread the newest lines are asked for. What is older, and
// words such as "Today", come with the whole.
const WHOLE_MS = 60_000
// A line that ends so far below the window is as good as read.
const NEARLY_PX = 80

/** @typedef {{top: number, element: Element}} Place */

const htmx = /** @type {typeof import('htmx.org').default} */ (Reflect.get(globalThis, 'htmx'))
const { morph } = /** @type {typeof import('idiomorph').Idiomorph} */ (Reflect.get(globalThis, 'Idiomorph'))

// Whether the whole part was asked for, or the newest of it.
let isWhole = true

htmx.defineExtension('live', {
  handleSwap (_style, place, part) {
    const target = /** @type {Element} */ (place)
    const fragment = /** @type {DocumentFragment} */ (part)
    // More has come than the newest lines tell: all are asked for instead.
    if (!isWhole && !keepOlder(target, fragment)) {
      target.dispatchEvent(new Event('live:gap'))
      return [...target.childNodes]
    }
    nameForms(target)
    nameForms(fragment)
    morph(target, [...fragment.childNodes], {
      morphStyle: 'innerHTML',
      callbacks: { beforeNodeMorphed: mayChange, beforeAttributeUpdated: mayChangeAttribute }
    })
    return [...target.childNodes]
  }
})

const region = document.getElementById('live')
if (region) keepUpToDate(region)

/** @param {HTMLElement} region */
function keepUpToDate (region) {
  const stream = openStream(region.dataset.stream ?? '', {
    changed: refresh,
    here: showOthers,
    waiting: tellWaiting,
    ended: () => location.reload()
  }, isUp => {
    show('live-down', !isUp)
    showOthers([])
  })
  const toNewest = document.getElementById('live-newest')
  let wholeAt = Date.now()
  let isStale = false

  region.addEventListener('htmx:configRequest', event => {
    if (event.target !== region) return
    isWhole = isStale || Date.now() - wholeAt > WHOLE_MS
    if (isWhole) {
      wholeAt = Date.now()
      isStale = false
    }
    Object.assign(detail(event).headers, {
      'X-Page-Visibility': document.visibilityState,
      'X-Page-Part': isWhole ? 'whole' : 'newest'
    })
  })
  region.addEventListener('live:gap', () => {
    isStale = true
    setTimeout(refresh)
  })
  region.addEventListener('htmx:afterRequest', event => {
    if (event.target !== region) return
    const { successful, xhr } = detail(event)
    // Not ours any more, or gone: the page itself says what is the matter.
    if (xhr.status === 403 || xhr.status === 404) location.reload()
    if (!successful) isStale = true
  })
  keepInPlace(region, isNewBelow => {
    if (isNewBelow && toNewest) toNewest.hidden = false
  })
  toNewest?.addEventListener('click', () => {
    lastBubble(region)?.scrollIntoView({ block: 'end' })
    toNewest.hidden = true
    lastBubble(region)?.focus({ preventScroll: true })
  })
  addEventListener('scroll', () => {
    if (toNewest && isAtEnd(region)) toNewest.hidden = true
  }, { passive: true })
  // A page that nobody sees takes no connection, of which browsers have few, and its reader is not looking.
  document.addEventListener('visibilitychange', () => stream.setWanted(isSeen()))
  stream.setWanted(isSeen())
  setInterval(() => {
    if (!isSeen()) return
    stream.setWanted(true)
    if (!stream.isUp() || isStale || Date.now() - wholeAt > WHOLE_MS) refresh()
  }, POLL_MS)

  function refresh () {
    htmx.trigger(region, 'refresh', {})
  }
}

/**
 * Of a thread only the newest lines are made anew: put those before them, as they stand, before the new ones.
 * @param {Element} shown
 * @param {DocumentFragment} fresh
 * @returns {boolean} whether they follow on one another
 */
function keepOlder (shown, fresh) {
  const [lines, freshLines] = [shown.querySelector('.thread'), fresh.querySelector('.thread')]
  const first = freshLines?.querySelector(':scope > li[id]')
  if (!lines || !freshLines || !first) return true
  const place = lines.querySelector(`:scope > #${CSS.escape(first.id)}`)
  if (!place) return false
  while (freshLines.firstChild !== first) freshLines.firstChild?.remove()
  for (let line = lines.firstChild; line && line !== place; line = line.nextSibling) {
    first.before(line.cloneNode(true))
  }
  // Where they begin has not changed, and so where earlier ones are.
  const earlier = shown.querySelector(':scope > .pages')
  for (const child of [...fresh.children]) if (child.matches('.pages')) child.remove()
  if (earlier) freshLines.before(earlier.cloneNode(true))
  return true
}

/**
 * A form must not become another one under the hands of whoever fills it in: each is known by what it does.
 * @param {Element | DocumentFragment} part
 */
function nameForms (part) {
  /** @type {Map<string, number>} */
  const times = new Map()
  for (const form of part.querySelectorAll('form:not([id]), form[id^="form "]')) {
    const does = `form ${form.getAttribute('method')} ${form.getAttribute('action')}`
    const time = times.get(does) ?? 0
    times.set(does, time + 1)
    form.id = `${does} ${time}`
  }
}

/**
 * What the reader has typed, plays or was told of an answer is theirs.
 * @param {Element} old
 * @param {Node} fresh
 * @returns {boolean}
 */
function mayChange (old, fresh) {
  if (old instanceof HTMLMediaElement && fresh instanceof HTMLMediaElement) {
    return old.getAttribute('src') !== fresh.getAttribute('src')
  }
  if (old instanceof HTMLElement && old.matches('.why')) return old.querySelector('dl') === null
  return !(isField(old) && old.form !== null && isBegun(old.form))
}

/**
 * What the reader has opened stays open.
 * @param {string} name
 * @param {Element} element
 */
function mayChangeAttribute (name, element) {
  return name !== 'open' || !(element instanceof HTMLDetailsElement)
}

/** @param {HTMLFormElement} form */
function isBegun (form) {
  return [...form.elements].some(field => {
    if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue
    if (field instanceof HTMLSelectElement) return isChosen(field)
    if (!(field instanceof HTMLInputElement)) return false
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked
  })
}

/** Whether the reader has chosen otherwise than the page came. @param {HTMLSelectElement} field */
function isChosen (field) {
  const options = [...field.options]
  const usual = options.find(option => option.defaultSelected) ?? options[0]
  return field.selectedOptions[0] !== usual
}

/** @param {Node} node @returns {node is HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} */
function isField (node) {
  return [HTMLInputElement, HTMLTextAreaElement, HTMLSelectElement].some(kind => node instanceof kind)
}

/**
 * Around each change: keep what is read where it is, follow the end if that is read, and say that news came.
 * @param {HTMLElement} region
 * @param {(isNewBelow: boolean) => void} onChanged
 */
function keepInPlace (region, onChanged) {
  /** @type {() => void} */
  let putBack = () => {}

  region.addEventListener('htmx:beforeSwap', event => {
    if (event.target !== region) return
    const arrived = arrivals(region)
    const last = lastBubble(region)?.id
    const wasAtEnd = isAtEnd(region)
    const focused = document.activeElement
    const shift = watchPlaces(region, wasAtEnd)
    putBack = () => {
      const by = shift()
      if (by) scrollBy({ top: by, behavior: 'instant' })
      if (focused instanceof HTMLElement && region.contains(focused)) focused.focus({ preventScroll: true })
      const isNewLast = lastBubble(region)?.id !== last
      if ([...arrivals(region)].some(one => !arrived.has(one))) say('live-news')
      onChanged(isNewLast && !wasAtEnd)
    }
  })
  region.addEventListener('htmx:afterSwap', event => {
    if (event.target === region) putBack()
  })
}

/**
 * How far what the reader looks at has moved once the page has changed.
 * @param {HTMLElement} region
 * @param {boolean} isAtEnd the end is what they look at
 * @returns {() => number} in pixels
 */
function watchPlaces (region, isAtEnd) {
  const end = region.querySelector('.thread')
  const focused = document.activeElement
  if (focused instanceof HTMLElement && focused.matches('input, textarea') && region.contains(focused)) {
    return moved([placeOf(focused)])
  }
  if (end && isAtEnd) {
    const bottom = end.getBoundingClientRect().bottom
    return () => end.getBoundingClientRect().bottom - bottom
  }
  // At the top of a list what is new is to be seen.
  if (scrollY === 0) return () => 0
  const places = [...region.querySelectorAll('[id]')].map(placeOf)
  return moved(places.filter(({ top }) => top >= 0 && top < innerHeight))
}

/**
 * @param {Place[]} places
 * @returns {() => number} how far most of them have moved: a few may have gone elsewhere
 */
function moved (places) {
  return () => {
    const shifts = places
      .filter(({ element }) => element.isConnected)
      .map(({ top, element }) => element.getBoundingClientRect().top - top)
      .sort((one, other) => one - other)
    return shifts[Math.floor(shifts.length / 2)] ?? 0
  }
}

/** @param {Element} element @returns {Place} */
function placeOf (element) {
  return { element, top: element.getBoundingClientRect().top }
}

/**
 * Whether the reader sees the newest message of a thread.
 * @param {HTMLElement} region
 */
function isAtEnd (region) {
  const last = lastBubble(region)
  return !last || last.getBoundingClientRect().bottom <= innerHeight + NEARLY_PX
}

/** @param {HTMLElement} region @returns {HTMLElement | undefined} */
function lastBubble (region) {
  const bubbles = /** @type {NodeListOf<HTMLElement>} */ (region.querySelectorAll('.bubble'))
  return [...bubbles].at(-1)
}

/**
 * What has come in and is on the page.
 * @param {HTMLElement} region
 * @returns {Set<string>}
 */
function arrivals (region) {
  const rows = /** @type {NodeListOf<HTMLElement>} */ (region.querySelectorAll('[data-arrived]'))
  const lines = region.querySelectorAll('.bubble:not(.staff)')
  return new Set([...[...rows].map(row => row.dataset.arrived ?? ''), ...[...lines].map(line => line.id)])
}

/** Say something to those who hear the page; the same words again are said again. @param {string} id */
function say (id) {
  const place = document.getElementById(id)
  if (!place) return
  place.textContent = ''
  requestAnimationFrame(() => {
    place.textContent = place.dataset.said ?? ''
  })
}

/** @param {string[]} names */
function showOthers (names) {
  const list = document.querySelector('#live-others span')
  show('live-others', names.length > 0)
  list?.replaceChildren(...names.flatMap((name, place) => {
    const told = document.createElement('bdi')
    told.textContent = name
    return place ? [', ', told] : [told]
  }))
}

/** @param {string} id @param {boolean} isShown */
function show (id, isShown) {
  const element = document.getElementById(id)
  if (element) element.hidden = !isShown
}

function isSeen () {
  return document.visibilityState === 'visible'
}

/** What htmx tells with an event. @param {Event} event @returns {any} */
function detail (event) {
  return /** @type {CustomEvent} */ (event).detail
}
