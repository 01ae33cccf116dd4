/** What graders look at: plain tallies of what the client did and what the server did about it. */
export class Counts {
  constructor () {
    /** @type {Record<string, number>} stanzas from clients, by tag */
    this.stanzas = {}
    /** @type {Record<string, number>} acks with an error that clients sent, by code */
    this.nacks = {}
    this.emptyParticipants = 0
    this.availablePresences = 0
    this.refusedMessages = 0
    this.refusedLogins = 0
    this.brokenFrames = 0
    this.unknownStanzas = 0
    this.missingDeviceIdentities = 0
    this.lastResortBundles = 0
  }

  /** @param {Record<string, number>} tally @param {string} key */
  add (tally, key) {
    tally[key] = (tally[key] ?? 0) + 1
  }
}
