import { decodeBinaryNode, encodeBinaryNode, NOISE_WA_HEADER } from 'baileys'
import { freshKeyPair } from './keys.js'
import { NoiseServer } from './noise.js'
import { makeQueue } from './queue.js'

/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {import('./noise.js').Transport} Transport
 * @typedef {{noiseKey: Buffer, payload: import('baileys').proto.ClientPayload}} Finish
 */

const LENGTH_BYTES = 3
const CLOSE_GRACE_MS = 1000

/** One socket of a client: frames, handshake, then stanzas both ways. */
export class Connection {
  /**
   * @param {import('ws').WebSocket} socket
   * @param {{staticKey: import('./keys.js').KeyPair, chain: Buffer}} certificate
   * @param {(finish: Finish) => void} onFinish called once, when the handshake is complete
   */
  constructor (socket, certificate, onFinish) {
    this.socket = socket
    this.noise = new NoiseServer({ ...certificate, ephemeral: freshKeyPair() })
    this.onFinish = onFinish
    /** @type {(stanza: Node) => void | Promise<void>} */
    this.onStanza = () => {}
    /** @type {(() => void)[]} run when the line is dead */
    this.closing = []
    /** @type {(error: unknown) => void} */
    this.onBroken = () => {}
    /** @type {Transport | undefined} */
    this.transport = undefined
    this.buffer = Buffer.alloc(0)
    this.introduced = false
    this.greeted = false
    this.silent = false
    /** Requests are answered, and nothing that came for the client is handed over. */
    this.withholding = false
    this.open = true
    this.inTurn = makeQueue()
    socket.on('message', data => this.take(/** @type {Buffer} */ (data)))
    socket.on('close', () => this.closed())
    socket.on('error', () => socket.terminate())
  }

  /** @param {Node} stanza written unless the line is dead or black */
  send (stanza) {
    if (!this.open || this.silent || !this.transport) return
    this.writeFrame(this.transport.encrypt(encodeBinaryNode(stanza)))
  }

  /** From now on a black hole: the socket stays open, nothing is answered and nothing arrives. */
  silence () {
    this.silent = true
  }

  withhold () {
    this.withholding = true
  }

  close () {
    if (!this.open) return
    this.closed()
    this.socket.close()
    setTimeout(() => this.socket.terminate(), CLOSE_GRACE_MS).unref()
  }

  /** @param {Buffer} data */
  take (data) {
    if (!this.open || this.silent) return
    this.buffer = Buffer.concat([this.buffer, data])
    try {
      if (!this.introduced) this.readIntroduction()
      for (let frame = this.nextFrame(); frame; frame = this.nextFrame()) this.readFrame(frame)
    } catch (error) {
      this.broken(error)
    }
  }

  /** The first bytes: routing info, if the server ever gave any, then the protocol's header. */
  readIntroduction () {
    const routed = this.buffer.subarray(0, 2).toString() === 'ED'
    if (routed && this.buffer.length < 7) return
    const start = routed ? 7 + this.buffer.readUIntBE(4, 3) : 0
    const end = start + NOISE_WA_HEADER.length
    if (this.buffer.length < end) return
    if (!this.buffer.subarray(start, end).equals(NOISE_WA_HEADER)) throw new Error('not a WhatsApp client')
    this.buffer = this.buffer.subarray(end)
    this.introduced = true
  }

  /** @returns {Buffer | undefined} */
  nextFrame () {
    if (!this.introduced || !this.open || this.buffer.length < LENGTH_BYTES) return undefined
    const end = LENGTH_BYTES + this.buffer.readUIntBE(0, LENGTH_BYTES)
    if (this.buffer.length < end) return undefined
    const frame = this.buffer.subarray(LENGTH_BYTES, end)
    this.buffer = this.buffer.subarray(end)
    return frame
  }

  /** @param {Buffer} frame */
  readFrame (frame) {
    if (this.transport) {
      const plaintext = this.transport.decrypt(frame)
      this.inTurn(() => this.readStanza(plaintext)).catch(error => this.broken(error))
    } else if (this.greeted) {
      const { transport, ...finish } = this.noise.acceptFinish(frame)
      this.transport = transport
      this.onFinish(finish)
    } else {
      this.greeted = true
      this.writeFrame(this.noise.answerHello(frame))
    }
  }

  /** @param {Buffer} plaintext */
  async readStanza (plaintext) {
    const stanza = await decodeBinaryNode(plaintext)
    if (this.open && !this.silent) await this.onStanza(stanza)
  }

  /** @param {Buffer} bytes */
  writeFrame (bytes) {
    const length = Buffer.alloc(LENGTH_BYTES)
    length.writeUIntBE(bytes.length, 0, LENGTH_BYTES)
    this.socket.send(Buffer.concat([length, bytes]))
  }

  /** @param {unknown} error */
  broken (error) {
    if (!this.open) return
    this.onBroken(error)
    this.close()
  }

  closed () {
    if (!this.open) return
    this.open = false
    for (const job of this.closing) job()
  }
}
