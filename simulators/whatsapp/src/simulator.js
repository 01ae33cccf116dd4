import { createServer } from 'node:http'
import { WebSocketServer } from 'ws'
import { Connection } from './connection.js'
import { makeControl } from './control.js'
import { admit } from './login.js'
import { MediaServer } from './media-server.js'
import { World } from './world.js'

/**
 * @typedef {{socketUrl: string, controlUrl: string, mediaUrl: string, rootKey: string}} ReadyLine
 *   rootKey: 64 hex digits
 * @typedef {ReadyLine & {world: World, close: () => Promise<void>}} Simulator world: what tests look into
 */

const LOOPBACK = '127.0.0.1'
const PATH = '/ws/chat'
const UNAVAILABLE = 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n'

/**
 * Start a WhatsApp server with its media host and control API, on loopback. Port 0 takes any free one.
 *
 * @param {{port?: number, controlPort?: number, mediaPort?: number, seed?: string | number}} [options]
 * @returns {Promise<Simulator>}
 */
export async function startSimulator ({ port = 0, controlPort = 0, mediaPort = 0, seed = 1 } = {}) {
  const world = new World(seed)
  const chat = makeChatServer(world)
  const control = createServer(makeControl(world))
  const mediaServer = new MediaServer(world)
  const media = createServer((request, response) => mediaServer.answer(request, response))
  const ports = [await listen(chat, port), await listen(control, controlPort), await listen(media, mediaPort)]
  return {
    socketUrl: `ws://${LOOPBACK}:${ports[0]}${PATH}`,
    controlUrl: `http://${LOOPBACK}:${ports[1]}`,
    mediaUrl: `http://${LOOPBACK}:${ports[2]}`,
    rootKey: world.certificate.rootKey.toString('hex'),
    world,
    close: async () => {
      world.close()
      await Promise.all([shut(chat), shut(control), shut(media)])
    }
  }
}

/** @param {World} world */
function makeChatServer (world) {
  const server = createServer((_request, response) => response.writeHead(426).end())
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false })
  server.on('upgrade', (request, socket, head) => {
    const refused = world.faults.strike('refuse', [])
    if (refused && refused.mode !== 'http') return socket.destroy()
    if (refused || request.url?.split('?')[0] !== PATH) return socket.end(UNAVAILABLE)
    sockets.handleUpgrade(request, socket, head, accepted => accept(world, accepted))
  })
  return server
}

/** @param {World} world @param {import('ws').WebSocket} socket */
function accept (world, socket) {
  const connection = new Connection(socket, world.certificate, finish => admit(world, connection, finish))
  world.connections.add(connection)
  connection.closing.push(() => world.connections.delete(connection))
  connection.onBroken = () => {
    world.counts.brokenFrames++
  }
}

/** @param {import('node:http').Server} server @param {number} port @returns {Promise<number>} */
function listen (server, port) {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, LOOPBACK, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** @param {import('node:http').Server} server @returns {Promise<void>} */
function shut (server) {
  return new Promise(resolve => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
