/**
 * Keys for those who would rather not reach for the mouse: in the list of conversations and in a thread. All
 * that they do can be reached by Tab as well, and they can be switched off.
 */

/// <reference lib="dom" />

const REMEMBERED = 'frontdesk.keys'
const OFF = 'off'
const FIELDS = 'input, textarea, select, [contenteditable]'
// One of the list, or one of a thread.
const ITEMS = '#live .row h2 a, #live .bubble'

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById('keys'))
const opener = document.getElementById('keys-open')
const toggle = /** @type {HTMLInputElement | null} */ (document.getElementById('keys-on'))

if (dialog && opener && toggle) {
  opener.hidden = false
  opener.addEventListener('click', () => dialog.showModal())
  toggle.checked = localStorage.getItem(REMEMBERED) !== OFF
  toggle.addEventListener('change', () => localStorage.setItem(REMEMBERED, toggle.checked ? 'on' : OFF))
}
document.addEventListener('keydown', event => {
  if (isForField(event) || dialog?.open || toggle?.checked === false) return
  if (act(event)) event.preventDefault()
})
// Where `/` was pressed on a page that has no search.
if (location.hash === '#q') search()

/** @param {KeyboardEvent} event */
function isForField (event) {
  if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return true
  return event.target instanceof Element && event.target.closest(FIELDS) !== null
}

/** @param {KeyboardEvent} event @returns {boolean} whether the key meant something */
function act (event) {
  switch (keyOf(event)) {
    case 'j': return move(1)
    case 'k': return move(-1)
    // Before one is marked, these scroll.
    case 'ArrowDown': return current() !== null && move(1)
    case 'ArrowUp': return current() !== null && move(-1)
    // Links open by themselves.
    case 'Enter': return current()?.matches('.bubble') === true && openWithin(event.target)
    case '/': return search()
    case 'r': return answer()
    case '?': return help()
    default: return false
  }
}

/**
 * The letter of a key where the keyboard has another alphabet.
 * @param {KeyboardEvent} event
 */
function keyOf ({ key, code }) {
  const isForeign = key.length === 1 && key > '\u007f'
  return isForeign && /^Key[A-Z]$/.test(code) ? code.slice(3).toLowerCase() : key
}

/** @returns {HTMLElement[]} */
function items () {
  const found = /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(ITEMS))
  return [...found]
}

/** @returns {HTMLElement | null} the one that is marked */
function current () {
  return document.activeElement?.closest(ITEMS) ?? null
}

/** @param {number} by @returns {boolean} */
function move (by) {
  const all = items()
  const marked = current()
  // From nowhere: to the first of a list, and to the newest of a thread.
  const start = marked ? all.indexOf(marked) + by : all[0]?.matches('.bubble') ? all.length - 1 : 0
  const next = all[Math.min(Math.max(start, 0), all.length - 1)]
  next?.focus({ preventScroll: true })
  next?.scrollIntoView({ block: 'nearest' })
  return next !== undefined
}

/** @param {EventTarget | null} target @returns {boolean} */
function openWithin (target) {
  // On a link or a summary within, Enter is its own.
  if (!(target instanceof HTMLElement) || !target.matches('.bubble')) return false
  const within = /** @type {HTMLElement | null} */ (target.querySelector('summary, a'))
  within?.click()
  return within !== null
}

/** @returns {boolean} */
function search () {
  const field = document.getElementById('q')
  const list = /** @type {HTMLAnchorElement | null} */ (document.querySelector('.back a'))
  if (field) field.focus()
  else if (list) location.assign(`${list.href}#q`)
  return field !== null || list !== null
}

/** @returns {boolean} */
function answer () {
  const box = /** @type {HTMLElement | null} */ (document.querySelector('.answering textarea'))
  box?.focus()
  return box !== null
}

/** @returns {boolean} */
function help () {
  dialog?.showModal()
  return dialog !== null
}
