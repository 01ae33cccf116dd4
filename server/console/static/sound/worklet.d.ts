/** The names of an AudioWorklet's world that lib.dom leaves out. */

declare const sampleRate: number

declare class AudioWorkletProcessor {
  readonly port: MessagePort
}

declare function registerProcessor (name: string, processor: new () => AudioWorkletProcessor & {
  process (inputs: Float32Array<ArrayBuffer>[][], outputs: Float32Array<ArrayBuffer>[][]): boolean
}): void
