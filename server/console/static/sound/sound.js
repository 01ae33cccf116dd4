/// <reference lib="dom" />
/* global AudioContext, AudioWorkletNode */

/** The microphone and the loudspeaker of this computer, as a telephone has them. */

/** @typedef {import('./frames.js').Frame} Frame */

/**
 * @typedef {object} Ear
 * @property {(frame: Frame) => void} frame 20 ms of the microphone
 * @property {(number: number) => void} reached all before this mark has been played
 * @property {(level: number, soundedMs: number) => void} sounds what the loudspeaker played since it last told
 */

// A mark behind all others: what is still to sound at the end of a call sounds.
const LAST = Infinity
// Beside this file, wherever the page is.
const MODULES = ['microphone.worklet.js', 'loudspeaker.worklet.js'].map(name => new URL(name, import.meta.url).href)
// Without headphones the desk must not hear itself.
const MICROPHONE = { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true }

/**
 * Open both. A microphone that is refused or missing leaves a caller who listens; `fault` is the name of the
 * browser's error then, and else empty.
 * @param {Ear} ear
 */
export async function openSound (ear) {
  const context = new AudioContext({ latencyHint: 'interactive' })
  await Promise.all(MODULES.map(url => context.audioWorklet.addModule(url)))
  const loudspeaker = new AudioWorkletNode(context, 'loudspeaker', { numberOfInputs: 0, outputChannelCount: [1] })
  const hasPlayedAll = new Promise(resolve => {
    loudspeaker.port.onmessage = ({ data }) => {
      if (data.reached === LAST) resolve(null)
      else if (data.reached) ear.reached(data.reached)
      else ear.sounds(data.level, data.soundedMs)
    }
  })
  loudspeaker.connect(context.destination)
  const { stream, fault } = await openMicrophone(context, ear)
  await context.resume()

  return {
    fault,
    /** @param {boolean} isMuted */
    mute (isMuted) {
      for (const track of stream?.getTracks() ?? []) track.enabled = !isMuted
    },
    /** @param {ArrayBuffer} audio mu-law */
    play: audio => loudspeaker.port.postMessage({ audio: new Uint8Array(audio) }, [audio]),
    /** @param {number} number */
    mark: number => loudspeaker.port.postMessage({ mark: number }),
    clear: () => loudspeaker.port.postMessage({ clear: true }),
    async close () {
      for (const track of stream?.getTracks() ?? []) track.stop()
      loudspeaker.port.postMessage({ mark: LAST })
      await hasPlayedAll
      await context.close()
    }
  }
}

/** @param {AudioContext} context @param {Ear} ear */
async function openMicrophone (context, ear) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: MICROPHONE })
    const source = context.createMediaStreamSource(stream)
    const node = new AudioWorkletNode(context, 'microphone', { numberOfOutputs: 0 })
    node.port.onmessage = ({ data }) => ear.frame(data)
    source.connect(node)
    return { stream, fault: '' }
  } catch (error) {
    return { stream: null, fault: error instanceof Error ? error.name : 'Error' }
  }
}
