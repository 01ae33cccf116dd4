import { lookup } from 'node:dns'
import { BlockList } from 'node:net'
import { Invalid } from './errors.js'

/**
 * Where media may be fetched from. The address in a message was chosen by a
 * guest, who may want us to call something inside our own network.
 */

const OWN_HOST = 'mmg.whatsapp.net'
const WHATSAPPS = /^([a-z0-9-]+\.)+whatsapp\.net$/
const MEDIA_HOST = /^(mmg|media)[.-]/

const INTERNAL = new BlockList()
for (const subnet of [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24',
  '192.168.0.0/16', '198.18.0.0/15', '224.0.0.0/4', '240.0.0.0/4'
]) addSubnet(subnet, 'ipv4')
for (const subnet of ['::/127', '64:ff9b::/96', 'fc00::/7', 'fe80::/10', 'ff00::/8']) addSubnet(subnet, 'ipv6')

/**
 * @param {{ url?: unknown, directPath?: unknown }} content of a media message
 * @param {string | undefined} origin that stands for all of WhatsApp's media hosts: the simulator's
 * @returns {URL}
 * @throws {Invalid} no address, or not one of WhatsApp's; nothing was asked, not even a name server
 */
export function addressOf ({ url, directPath }, origin) {
  if (!isText(directPath) && !isText(url)) throw new Invalid('the media have neither url nor directPath')
  const given = parse(isText(url) ? url : `https://${OWN_HOST}`)
  check(given)
  // Messages from WhatsApp Web may name a host that has no media (Baileys #1094).
  const host = MEDIA_HOST.test(given.hostname) ? given.hostname : OWN_HOST
  const address = isText(directPath) ? parse(`https://${host}${directPath}`) : given
  check(address)
  return origin ? new URL(address.pathname + address.search, origin) : address
}

/**
 * A look-up that knows no address of an internal network, whatever a name server says.
 *
 * @type {import('node:net').LookupFunction}
 */
export function publicLookup (hostname, options, callback) {
  lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = error ? [] : found.filter(({ address, family }) => !isInternal(address, family))
    const failure = error ?? (addresses.length === 0 ? new Error('no public address') : null)
    if (failure || options.all) return callback(failure, addresses)
    callback(null, addresses[0].address, addresses[0].family)
  })
}

/**
 * @param {string} address
 * @param {number} family
 */
export function isInternal (address, family) {
  return INTERNAL.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** @param {URL} address */
function check ({ protocol, hostname, port, username, password }) {
  if (protocol === 'https:' && WHATSAPPS.test(hostname) && !port && !username && !password) return
  throw new Invalid('the address of the media is not one of WhatsApp\'s')
}

/** @param {string} text */
function parse (text) {
  if (URL.canParse(text)) return new URL(text)
  throw new Invalid('the address of the media is not a URL')
}

/**
 * @param {unknown} value
 * @returns {value is string}
 */
function isText (value) {
  return typeof value === 'string' && value !== ''
}

/**
 * @param {string} subnet
 * @param {'ipv4' | 'ipv6'} family
 */
function addSubnet (subnet, family) {
  const [address, prefix] = subnet.split('/')
  INTERNAL.addSubnet(address, Number(prefix), family)
}
