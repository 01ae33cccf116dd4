/// <reference lib="dom" />

/** The line of a call: a socket that speaks as Twilio's Media Streams do, whichever end it is. */

const FRAME_MS = 20
// Of a call that no network carries.
const STREAM = 'browser'
const ACCOUNT = 'console'

/**
 * @typedef {object} Ear
 * @property {() => void} opened
 * @property {(audio: ArrayBuffer) => void} audio to be played after all that came before: mu-law
 * @property {(number: number) => void} mark to be told of once all before it has been played
 * @property {() => void} clear what has not been played yet is not wanted
 * @property {(code: number, reason: string) => void} closed
 */

/**
 * Call the desk.
 * @param {URL} url
 * @param {{call: string, token: string}} begun
 * @param {Ear} ear
 */
export function openLine (url, { call, token }, ear) {
  const socket = new WebSocket(url)
  /** @type {Map<number, string>} */
  const marks = new Map()
  let told = 0
  let frames = 0
  let marked = 0

  const isOpen = () => socket.readyState === WebSocket.OPEN

  /** @param {string} event @param {Record<string, unknown>} what */
  function tell (event, what) {
    if (isOpen()) socket.send(JSON.stringify({ event, sequenceNumber: String(++told), streamSid: STREAM, ...what }))
  }

  /** @param {number} number */
  function reached (number) {
    const name = marks.get(number)
    if (name === undefined) return
    marks.delete(number)
    tell('mark', { mark: { name } })
  }

  socket.addEventListener('open', () => {
    socket.send(JSON.stringify({ event: 'connected', protocol: 'Call', version: '1.0.0' }))
    tell('start', {
      start: {
        accountSid: ACCOUNT,
        streamSid: STREAM,
        callSid: call,
        tracks: ['inbound'],
        customParameters: { token },
        mediaFormat: { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 }
      }
    })
    ear.opened()
  })
  socket.addEventListener('message', ({ data }) => {
    const { event, media, mark } = JSON.parse(data)
    if (event === 'media') ear.audio(decoded(media.payload))
    if (event === 'mark') {
      marks.set(++marked, mark.name)
      ear.mark(marked)
    }
    if (event === 'clear') {
      ear.clear()
      // As the network does: what is thrown away counts as played.
      for (const number of [...marks.keys()]) reached(number)
    }
  })
  socket.addEventListener('close', ({ code, reason }) => ear.closed(code, reason))

  return {
    reached,
    /** @param {Uint8Array} bytes a frame of the microphone's */
    send (bytes) {
      if (!isOpen()) return
      const media = {
        track: 'inbound',
        chunk: String(frames + 1),
        timestamp: String(frames++ * FRAME_MS),
        payload: btoa(String.fromCharCode(...bytes))
      }
      tell('media', { media })
    },
    hangUp: () => tell('stop', { stop: { accountSid: ACCOUNT, callSid: call } })
  }
}

/** @param {string} payload base64 */
function decoded (payload) {
  return Uint8Array.from(atob(payload), character => character.charCodeAt(0)).buffer
}
