/**
 * A canned reply or a draft is filled into the answer without another page, and Ctrl or Cmd with Enter sends.
 * Listens on the document: parts of the page are replaced while it is open.
 */

document.addEventListener('submit', event => {
  const form = event.target
  if (!(form instanceof HTMLFormElement)) return
  const choice = form.elements.namedItem('reply')
  if (!(choice instanceof HTMLSelectElement)) return
  const begin = choice.selectedOptions[0]?.dataset.begin
  if (begin !== undefined && write(begin, '')) event.preventDefault()
})

document.addEventListener('click', event => {
  if (!(event.target instanceof Element)) return
  const link = event.target.closest('a[data-draft]')
  if (!(link instanceof HTMLAnchorElement)) return
  if (write(link.dataset.begin ?? '', link.dataset.draft ?? '')) event.preventDefault()
})

document.addEventListener('keydown', event => {
  const isSend = event.key === 'Enter' && (event.ctrlKey || event.metaKey)
  if (!isSend || !(event.target instanceof HTMLTextAreaElement)) return
  event.preventDefault()
  event.target.form?.requestSubmit()
})

/**
 * Put *words* where the cursor of the answer is, among what has been written already.
 * @param {string} words
 * @param {string} draft the id of the draft that they are; empty if they are none
 * @returns {boolean} whether there is an answer to write
 */
function write (words, draft) {
  const box = document.getElementById('text')
  if (!(box instanceof HTMLTextAreaElement) || box.form === null) return false
  box.setRangeText(words, box.selectionStart, box.selectionEnd, 'end')
  const field = box.form.elements.namedItem('draft')
  if (field instanceof HTMLInputElement && draft !== '') field.value = draft
  box.focus()
  return true
}
