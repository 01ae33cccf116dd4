/**
 * Stanzas as Baileys has them: `{tag, attrs, content}`.
 *
 * @typedef {import('baileys').BinaryNode} Node
 */

/**
 * @param {string} tag
 * @param {Record<string, string | undefined>} [attrs] undefined ones are left out
 * @param {Node['content']} [content]
 * @returns {Node}
 */
export function node (tag, attrs = {}, content = undefined) {
  const given = Object.entries(attrs).filter(([, value]) => value !== undefined)
  return { tag, attrs: /** @type {Record<string, string>} */ (Object.fromEntries(given)), content }
}

/** @param {Node | undefined} parent @returns {Node[]} */
export function children (parent) {
  return Array.isArray(parent?.content) ? parent.content : []
}

/** @param {Node | undefined} parent @param {string} tag @returns {Node | undefined} */
export function child (parent, tag) {
  return children(parent).find(one => one.tag === tag)
}

/** @param {Node | undefined} of @returns {Buffer | undefined} the bytes in it, if it holds bytes */
export function bytesOf (of) {
  if (typeof of?.content === 'string') return Buffer.from(of.content)
  return of?.content instanceof Uint8Array ? Buffer.from(of.content) : undefined
}

/** @param {Node | undefined} parent @param {string} tag @returns {Buffer} @throws if it is not there */
export function childBytes (parent, tag) {
  const bytes = bytesOf(child(parent, tag))
  if (!bytes) throw new Error(`<${parent?.tag}> without <${tag}>`)
  return bytes
}

/** @param {number} value @param {number} width in bytes, big-endian @returns {Buffer} */
export function bigEndian (value, width) {
  const bytes = Buffer.alloc(width)
  bytes.writeUIntBE(value, 0, width)
  return bytes
}

/** @param {Uint8Array} bytes big-endian @returns {number} */
export function fromBigEndian (bytes) {
  return Buffer.from(bytes).readUIntBE(0, bytes.length)
}

/** @returns {string} now, as stanzas say it: seconds since 1970 */
export function seconds () {
  return String(Math.floor(Date.now() / 1000))
}
