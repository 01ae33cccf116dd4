/// <reference lib="dom" />

/**
 * Shows a test's answer while it is being made. Without it, or where anything fails, the form is sent as any
 * other: the same form twice is one message.
 */

const TEST = '#test'
const THREAD = `${TEST} .thread`
const DOING = `${TEST} .doing`

/** @typedef {{ say?: string, instead?: string, done?: true }} Told */

document.addEventListener('submit', event => {
  const form = event.target
  if (!(form instanceof HTMLFormElement) || !form.matches('[data-ask]')) return
  event.preventDefault()
  if (form.ariaBusy === 'true') return
  form.ariaBusy = 'true'
  ask(form).catch(() => form.submit())
})

/** @param {HTMLFormElement} form */
async function ask (form) {
  const answer = await fetch(`${form.action}/stream`, { method: 'POST', body: new FormData(form) })
  if (!answer.ok || answer.redirected || !answer.body) throw new Error(`HTTP ${answer.status}`)
  const show = begin(String(new FormData(form).get('text')))
  for await (const told of linesOf(answer.body)) show(told)
  await showWhole()
}

/**
 * Put the question on the page, and the place of its answer.
 *
 * @param {string} question
 * @returns {(told: Told) => void}
 */
function begin (question) {
  const thread = document.querySelector(THREAD)
  const waiting = /** @type {HTMLTemplateElement | null} */ (document.querySelector('#answering'))
  if (!thread || !waiting) return () => {}
  const asked = document.createElement('li')
  asked.className = 'bubble mine'
  asked.append(said(question))
  const answered = /** @type {DocumentFragment} */ (waiting.content.cloneNode(true))
  const words = /** @type {HTMLElement} */ (answered.querySelector('.said'))
  thread.append(asked, answered)
  words.scrollIntoView({ block: 'nearest' })
  let text = ''
  return told => {
    if (told.say === undefined && told.instead === undefined) return
    text = told.instead ?? text + told.say
    words.textContent = text
    words.scrollIntoView({ block: 'nearest' })
  }
}

/** @param {string} text */
function said (text) {
  const paragraph = document.createElement('p')
  paragraph.className = 'said'
  paragraph.dir = 'auto'
  paragraph.textContent = text
  return paragraph
}

/** The page as the server makes it: sources, timings, and what a guest might ask next. */
async function showWhole () {
  const page = await freshPage()
  const [shown, whole] = [document.querySelector(TEST), page.querySelector(TEST)]
  if (!shown || !whole) return location.reload()
  shown.replaceChildren(...whole.childNodes)
  const field = /** @type {HTMLElement | null} */ (document.querySelector('#text'))
  field?.focus()
  document.querySelector('#latest')?.scrollIntoView({ block: 'nearest' })
}

/** What has been said by now. Lines that have not changed stay: a reader of the screen tells the new ones alone. */
export async function showLines () {
  const page = await freshPage()
  const [shown, whole] = [document.querySelector(THREAD), page.querySelector(THREAD)]
  if (!shown || !whole) return
  for (const [at, line] of [...whole.children].entries()) {
    const known = shown.children[at]
    if (!known) shown.append(line)
    else if (!known.isEqualNode(line)) known.replaceWith(line)
  }
  const [doing, freshDoing] = [document.querySelector(DOING), page.querySelector(DOING)]
  if (!doing && freshDoing) document.querySelector(TEST)?.append(freshDoing)
}

async function freshPage () {
  const answer = await fetch(location.pathname)
  return new DOMParser().parseFromString(await answer.text(), 'text/html')
}

/**
 * @param {ReadableStream<Uint8Array>} body lines of JSON
 * @returns {AsyncGenerator<Told>}
 */
async function* linesOf (body) {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const lines = (rest + decoder.decode(value, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line !== '') yield JSON.parse(line)
    }
  }
}
