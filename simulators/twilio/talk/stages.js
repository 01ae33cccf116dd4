/** What the call is at, from what the command tells has happened. */

/**
 * @typedef {'idle' | 'ringing' | 'stream' | 'sentences' | 'message' | 'transfer' | 'talking' | 'ended'} Stage
 * @typedef {{at: number, kind: string, detail: string}} CallEvent seconds of the call, what, and more of it
 */

/**
 * @param {Stage} stage the one before
 * @param {CallEvent} event
 * @returns {Stage}
 */
export function following (stage, { kind, detail }) {
  if (kind === 'ended') return 'ended'
  if (kind === 'answered') return stage === 'ringing' ? 'talking' : stage
  if (kind === 'stream-open') return 'stream'
  if (kind === 'dial') return 'transfer'
  if (kind === 'stream-closed' || kind === 'dialled') return 'talking'
  if (kind === 'document') return byVerbs(stage, detail.split(' '))
  return stage
}

/** @param {Stage} stage @param {string[]} verbs */
function byVerbs (stage, verbs) {
  if (verbs.includes('Gather')) return 'sentences'
  if (verbs.includes('Record')) return 'message'
  return stage
}

/**
 * The words of a `<Say>`.
 * @param {CallEvent} event
 * @returns {{language: string, text: string} | null}
 */
export function said ({ kind, detail }) {
  const found = kind === 'say' ? /^\[([^\]]*)\] (.*)$/s.exec(detail) : null
  return found && { language: found[1], text: found[2] }
}
