import readline from 'node:readline'
import { WA_CERT_DETAILS } from 'baileys'
import { Client } from './bench.js'

/**
 * A stock Baileys client that sends each text back at once: the least that a reply can take.
 *
 *     node simulators/whatsapp/testing/echo.js SOCKET_URL ROOT_KEY
 *
 * Prints `{"qr": …}` for the host's phone to scan, then `{"open": true}`; ends with its standard input.
 */
class Echo extends Client {
  connect () {
    const socket = super.connect()
    socket.ev.on('messages.upsert', ({ messages, type }) => {
      for (const { key, message } of type === 'notify' ? messages : []) {
        const text = message?.conversation ?? message?.extendedTextMessage?.text
        if (key.remoteJid && text && !key.fromMe) void this.send(key.remoteJid, text)
      }
    })
    return socket
  }
}

/** @param {object} fact */
function say (fact) {
  process.stdout.write(JSON.stringify(fact) + '\n')
}

const [socketUrl, rootKey] = process.argv.slice(2)
WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(rootKey, 'hex')
const echo = new Echo(socketUrl, {})
readline.createInterface({ input: process.stdin }).on('close', () => process.exit(0))
echo.connect()
say({ qr: await echo.qr() })
await echo.opened()
say({ open: true })
