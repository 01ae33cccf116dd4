/// <reference lib="dom" />

/** A button that prints the report, for those whose browser hides its own. */

const button = document.querySelector('[data-print]')

if (button instanceof HTMLButtonElement) {
  button.addEventListener('click', () => print())
  button.hidden = false
  document.querySelector('[data-print-hint]')?.remove()
}
