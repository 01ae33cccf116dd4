/**
 * @typedef {{user: string, device: number, server: string}} Jid device 0 is the phone itself
 */

export const SERVER = 's.whatsapp.net'

/** @param {string | undefined} jid @returns {Jid | undefined} undefined if it is none */
export function parseJid (jid) {
  const match = /^([^@:]+)(?::(\d+))?@([a-z.]+)$/.exec(jid ?? '')
  return match ? { user: match[1] ?? '', device: Number(match[2] ?? 0), server: match[3] ?? '' } : undefined
}

/** @param {string} pn digits @param {number} [device] @returns {string} */
export function pnJid (pn, device = 0) {
  return `${pn}${device ? `:${device}` : ''}@${SERVER}`
}

/** @param {string} lid digits @param {number} [device] @returns {string} */
export function lidJid (lid, device = 0) {
  return `${lid}${device ? `:${device}` : ''}@lid`
}
