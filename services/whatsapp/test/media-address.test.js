import assert from 'node:assert/strict'
import { promisify } from 'node:util'
import { test } from 'node:test'
import { Invalid } from '../src/errors.js'
import { addressOf, isInternal, publicLookup } from '../src/media-address.js'

const OWN = 'https://mmg.whatsapp.net'
const PATH = '/v/t62/a.enc?ccb=11-4&oh=token'

test('media lie under the path that is named, on the host that is named if it is one for media', () => {
  for (const [content, address] of /** @type {[object, string][]} */ ([
    [{ directPath: PATH }, OWN + PATH],
    [{ url: OWN + PATH }, OWN + PATH],
    [{ url: `${OWN}/old`, directPath: PATH }, OWN + PATH],
    [{ url: `https://media-mxp1-1.cdn.whatsapp.net${PATH}`, directPath: PATH }, `https://media-mxp1-1.cdn.whatsapp.net${PATH}`],
    [{ url: 'https://web.whatsapp.net', directPath: PATH }, OWN + PATH]
  ])) assert.equal(addressOf(content, undefined).href, address)
})

test('another origin stands for all hosts of WhatsApp', () => {
  assert.equal(addressOf({ url: OWN + PATH, directPath: PATH }, 'http://127.0.0.1:4000').href, `http://127.0.0.1:4000${PATH}`)
})

test('any other address is refused, with another origin too', () => {
  for (const content of [
    { url: 'http://mmg.whatsapp.net/a' },
    { url: 'https://mmg.whatsapp.net:8443/a' },
    { url: 'https://user:word@mmg.whatsapp.net/a' },
    { url: 'https://whatsapp.net/a' },
    { url: 'https://evilwhatsapp.net/a' },
    { url: 'https://whatsapp.net.evil.example/a' },
    { url: 'https://169.254.169.254/latest/meta-data' },
    { url: 'https://[::1]/a' },
    { url: 'file:///etc/passwd' },
    { url: 'data:text/plain,hello' },
    { url: 'not a url' },
    { url: 'http://127.0.0.1:4000/a', directPath: PATH },
    { directPath: '@evil.example/a' },
    { directPath: '.evil.example/a' },
    { directPath: ':8080/a' },
    { directPath: ':x/a' },
    { url: 7, directPath: ['/a'] },
    {}
  ]) {
    for (const origin of [undefined, 'http://127.0.0.1:4000']) {
      assert.throws(() => addressOf(content, origin), Invalid, JSON.stringify(content))
    }
  }
})

test('addresses of internal networks are known in all their forms', () => {
  const inside = ['127.0.0.1', '10.1.2.3', '172.31.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0']
  const inside6 = ['::1', '::', 'fd00::1', 'fe80::1', '::ffff:10.0.0.1', '64:ff9b::a00:1']
  const outside = ['157.240.0.60', '172.32.0.1', '8.8.8.8']
  const outside6 = ['2a03:2880:f2ff:c7:face:b00c:0:7260', '::ffff:8.8.8.8']
  for (const address of inside) assert.ok(isInternal(address, 4), address)
  for (const address of inside6) assert.ok(isInternal(address, 6), address)
  for (const address of outside) assert.ok(!isInternal(address, 4), address)
  for (const address of outside6) assert.ok(!isInternal(address, 6), address)
})

test('a name that leads inside leads nowhere', async () => {
  const look = promisify(publicLookup)
  await assert.rejects(look('localhost', {}), /no public address/)
  await assert.rejects(look('127.0.0.1', { all: true }), /no public address/)
  assert.equal(await look('8.8.8.8', {}), '8.8.8.8')
  assert.deepEqual(await look('8.8.8.8', { all: true }), [{ address: '8.8.8.8', family: 4 }])
})
