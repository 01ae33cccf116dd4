/**
 * @typedef {import('./nodes.js').Node} Node
 * @typedef {{class: 'message' | 'receipt' | 'notification', id: string, peer: string, node: Node,
 *   again?: () => Promise<Node>}} Letter
 *   peer: number of the account that the client sees it in conversation with; again: encrypts it anew
 */

/**
 * What a companion has not confirmed. Letters stay in order until the client's receipt comes, over
 * as many logins as that takes, as on the real server.
 */
export class Mailbox {
  constructor () {
    /** @type {Map<string, Letter>} */
    this.letters = new Map()
    /** @type {((letter: Letter) => void) | undefined} */
    this.deliver = undefined
  }

  /** @param {Letter} letter delivered at once if the companion is there */
  put (letter) {
    this.letters.delete(keyOf(letter))
    this.letters.set(keyOf(letter), letter)
    this.deliver?.(letter)
  }

  /** @param {Pick<Letter, 'class' | 'id' | 'peer'>} letter @returns {boolean} whether it was still there */
  confirm (letter) {
    return this.letters.delete(keyOf(letter))
  }

  /** @param {(letter: Letter) => void} deliver */
  open (deliver) {
    this.deliver = deliver
  }

  close () {
    this.deliver = undefined
  }

  /** @returns {Letter[]} */
  backlog () {
    return [...this.letters.values()]
  }
}

/** Ids are the sender's choice, so two chats may share one. @param {Pick<Letter, 'class' | 'id' | 'peer'>} letter */
function keyOf ({ class: kind, id, peer }) {
  return `${kind} ${peer} ${id}`
}
