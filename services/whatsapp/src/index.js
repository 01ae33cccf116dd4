import { existsSync } from 'node:fs'
import { readConfig } from './config.js'
import { StartError } from './errors.js'
import { makeLogger } from './logger.js'
import { startSidecar } from './sidecar.js'

/** The process: settings in, signals and strays handled, exit code out. */
async function main () {
  // Node before 20.12 cannot read it; there the environment alone counts.
  if (process.env.NODE_ENV !== 'production' && existsSync('.env')) process.loadEnvFile?.('.env')
  const config = readConfig(process.env)
  const logger = makeLogger(config.logLevel)
  // A stray rejection of a library ends one socket at worst, never all numbers;
  // the probe finds a line that went deaf over it.
  process.on('unhandledRejection', reason => {
    logger.error({ event: 'unhandled_rejection', error: reason instanceof Error ? reason.message : 'unknown' })
  })
  const sidecar = await startSidecar({ config, logger })
  logger.info({ event: 'listening', host: config.host, port: sidecar.port, pid: process.pid })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.once(signal, () => {
      logger.info({ event: 'stopping', signal })
      sidecar.stop().finally(() => process.exit(0))
    })
  }
}

main().catch(error => {
  const reason = error instanceof StartError ? error.message : error.stack
  process.stderr.write(`${reason}\n`)
  process.exit(1)
})
