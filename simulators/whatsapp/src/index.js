#!/usr/bin/env node
import { parseArgs } from 'node:util'
import './quiet.js'
import { startSimulator } from './simulator.js'

const USAGE = `A WhatsApp server with phones, for tests and demonstrations, on loopback only.

usage: node simulators/whatsapp/src/index.js [--port 0] [--control-port 0] [--media-port 0]
                                             [--seed 1] [--help]

  --port          of the socket that a client connects to; 0 takes any free one
  --control-port  of the control API (HTTP, JSON)
  --media-port    of the host that media are fetched from (HTTP)
  --seed          from which keys, numbers and chances follow

When it is ready it prints one line of JSON: ready, socketUrl, controlUrl, mediaUrl,
rootKey.
`

/** @param {string | undefined} value @param {string} name */
function portNumber (value, name) {
  const port = Number(value)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error(`--${name} is a number from 0 to 65535`)
  return port
}

async function main () {
  const { values } = parseArgs({
    options: {
      'port': { type: 'string', default: '0' },
      'control-port': { type: 'string', default: '0' },
      'media-port': { type: 'string', default: '0' },
      'seed': { type: 'string', default: '1' },
      'help': { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(USAGE)
    return
  }
  const { close, socketUrl, controlUrl, mediaUrl, rootKey } = await startSimulator({
    port: portNumber(values.port, 'port'),
    controlPort: portNumber(values['control-port'], 'control-port'),
    mediaPort: portNumber(values['media-port'], 'media-port'),
    seed: values.seed
  })
  const stop = async () => {
    await close()
    process.exit(0)
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  process.stdout.write(`${JSON.stringify({ ready: true, socketUrl, controlUrl, mediaUrl, rootKey })}\n`)
}

main().catch(error => {
  process.stderr.write(`whatsapp simulator: ${error.message}\n`)
  process.exitCode = 1
})
