/// <reference lib="dom" />
/* global speechSynthesis, SpeechSynthesisUtterance */

/** Says texts by the browser's own voices, in the languages that it has any for. */

const hasVoices = typeof speechSynthesis !== 'undefined'

/** @param {string} code such as en-US @returns {string} such as en */
const languageOf = code => code.split(/[-_]/)[0].toLowerCase()

/** @returns {string[]} languages, such as en */
export function spokenLanguages () {
  // Voices from elsewhere would be told what is said.
  const voices = hasVoices ? speechSynthesis.getVoices().filter(voice => voice.localService) : []
  return [...new Set(voices.map(voice => languageOf(voice.lang)))]
}

/** @param {string} text @param {string} language such as he-IL */
export function speak (text, language) {
  const voice = hasVoices && speechSynthesis.getVoices().find(one => {
    return one.localService && languageOf(one.lang) === languageOf(language)
  })
  if (!voice) return
  const utterance = new SpeechSynthesisUtterance(text)
  utterance.voice = voice
  utterance.lang = voice.lang
  speechSynthesis.speak(utterance)
}

/** Say no more. */
export function hush () {
  if (hasVoices) speechSynthesis.cancel()
}
