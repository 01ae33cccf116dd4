import { makeCertificate } from './certificate.js'
import { Counts } from './counts.js'
import { Directory } from './directory.js'
import { EventLog } from './events.js'
import { Faults } from './faults.js'
import { MediaShelf } from './media.js'
import { Random } from './random.js'

/** What the parts of one simulator share. */
export class World {
  /** @param {string | number} seed */
  constructor (seed) {
    this.random = new Random(seed)
    this.certificate = makeCertificate(this.random)
    this.directory = new Directory(this.random)
    this.events = new EventLog()
    this.faults = new Faults(this.random)
    this.counts = new Counts()
    this.media = new MediaShelf(this.random)
    /** @type {Set<import('./connection.js').Connection>} */
    this.connections = new Set()
    /** @type {Set<import('./registration.js').Registration>} clients that wait to be paired */
    this.registrations = new Set()
    /** @type {Set<NodeJS.Timeout>} */
    this.timers = new Set()
  }

  /** @param {number} ms @param {() => void} job */
  later (ms, job) {
    const timer = setTimeout(() => {
      this.timers.delete(timer)
      job()
    }, ms)
    this.timers.add(timer)
  }

  /** Work that nobody waits for has gone wrong. @param {unknown} error */
  failed (error) {
    this.events.add('simulator.failed', '', { error: error instanceof Error ? error.stack : String(error) })
  }

  close () {
    for (const timer of this.timers) clearTimeout(timer)
    for (const connection of this.connections) connection.close()
  }
}
