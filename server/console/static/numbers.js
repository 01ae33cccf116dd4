/// <reference lib="dom" />

/** Looks again while a number is being linked: a new code, or that it is done. Without it the page reloads itself. */

const PART = '#linking'

/** @returns {Promise<boolean>} whether to look again */
async function look () {
  const shown = document.querySelector(PART)
  const answer = await fetch(location.href, { headers: { Accept: 'text/html' } })
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  const fresh = page.querySelector(PART)
  // Logged out meanwhile, or an error's page: it says itself what to do.
  if (!shown || !fresh) {
    location.reload()
    return false
  }
  // A code that is the same stays as it is, for the camera that is looking at it.
  if (shown.innerHTML !== fresh.innerHTML) shown.replaceChildren(...fresh.childNodes)
  shown.setAttribute('data-look-every-s', fresh.getAttribute('data-look-every-s') ?? '0')
  return true
}

function lookAgain () {
  const seconds = Number(document.querySelector(PART)?.getAttribute('data-look-every-s'))
  if (!seconds) return
  setTimeout(() => {
    // WhatsApp makes codes as long as somebody looks: not for a page that nobody sees.
    if (document.hidden) return lookAgain()
    // A network that is away for a moment is no reason to stop.
    look().catch(() => true).then(goesOn => goesOn && lookAgain())
  }, seconds * 1000)
}

lookAgain()
