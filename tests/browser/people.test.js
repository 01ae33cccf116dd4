/// <reference lib="dom" />

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { after, before, describe, test } from 'node:test'

import { ZOOMED_FOUR_TIMES, fillLogin, logIn, visitConsole } from './console_visit.js'
import { serious, shoot, wider } from './page_checks.js'

const STEP_MS = 30_000

describe('people in the console', () => {
  /** @type {import('./console_visit.js').Visit} */
  let visit

  before(async () => {
    visit = await visitConsole()
  })

  after(() => visit?.close())

  test('somebody is added, logs in, sets a second factor up, and needs it from then on', async () => {
    const owner = await visit.open('/console/team')
    await owner.getByLabel('Name to log in with').fill('Dana')
    await owner.getByLabel('Role', { exact: true }).selectOption({ label: 'Staff' })
    await owner.getByRole('button', { name: 'Add and make a password' }).press('Enter')
    const password = await owner.locator('.secret').innerText()
    await shoot(owner, 'team-added')
    assert.deepEqual(await serious(owner), [])
    await owner.reload()

    // With the console's own policy in force: the code must be seen.
    const dana = await visit.openAnonymous('/console/login', { bypassCSP: false })
    await logIn(dana, { name: 'Dana', password })
    assert.equal(await dana.getByRole('link', { name: 'Team' }).count(), 0)
    await dana.getByRole('link', { name: 'Your account: Dana' }).press('Enter')
    await dana.getByRole('link', { name: 'Set it up' }).press('Enter')
    const drawn = await dana.locator('svg.qr').boundingBox()
    assert.ok(drawn && drawn.width > 150 && drawn.width === drawn.height, JSON.stringify(drawn))
    const key = await dana.locator('.secret').innerText()
    await shoot(dana, 'second-factor')
    await dana.getByLabel('The six digits').fill('12 34')
    await dana.keyboard.press('Enter')
    await dana.getByRole('alert').waitFor()
    await dana.getByLabel('The six digits').fill(codeOf(key, 0))
    await dana.keyboard.press('Enter')
    await dana.getByText('The second factor is on').waitFor()
    await shoot(dana, 'account')
    await dana.getByRole('button', { name: 'Log out' }).press('Enter')

    await fillLogin(dana, { name: 'Dana', password })
    await dana.getByLabel('The six digits').waitFor()
    await dana.locator('input[name=code]:focus').waitFor()
    await shoot(dana, 'login-code')
    await dana.keyboard.type('000 000')
    await dana.keyboard.press('Enter')
    await dana.getByRole('alert').waitFor()
    await dana.goto(`${visit.scene.url}/console/`)
    await dana.getByRole('heading', { name: 'Log in' }).waitFor()
    await fillLogin(dana, { name: 'Dana', password })
    // As from a phone whose clock is fast: the code of now was used.
    await dana.getByLabel('The six digits').fill(codeOf(key, 1))
    await dana.keyboard.press('Enter')
    await dana.getByRole('heading', { level: 1, name: 'Conversations' }).waitFor()
    await dana.context().close()
    await owner.context().close()
  })

  test('the last owner is told why the account cannot be disabled', async () => {
    const page = await visit.open('/console/team')
    await page.locator('.people li', { hasText: visit.scene.staff.name }).locator('summary').press('Enter')
    await page.getByRole('button', { name: `Disable: ${visit.scene.staff.name}` }).press('Enter')
    await page.getByText('last owner of the business').waitFor()
    await page.context().close()
  })

  test('a key is shown once and revoked by name', async () => {
    const page = await visit.open('/console/keys')
    await page.getByLabel('Name').fill('website')
    await page.getByRole('button', { name: 'Make a key' }).press('Enter')
    assert.match(await page.locator('.secret').innerText(), /^fd_/)
    await shoot(page, 'keys-made')
    assert.deepEqual(await serious(page), [])
    await page.getByRole('button', { name: 'Revoke: website' }).press('Enter')
    await page.getByText('Revoked', { exact: true }).waitFor()
    assert.equal(await page.locator('.secret').count(), 0)
    await page.context().close()
  })

  test('a guest\'s data is saved and erased, and the audit log tells so', async () => {
    const page = await visit.open(`/console/conversations/${visit.scene.threads.failed}`)
    const name = await page.getByRole('heading', { level: 1 }).innerText()
    await page.getByRole('link', { name: 'The guest\'s data' }).press('Enter')
    await shoot(page, 'guest-data')
    const saving = page.waitForEvent('download')
    await page.getByRole('button', { name: 'Export' }).press('Enter')
    assert.match((await saving).suggestedFilename(), /^guest-\d+\.json$/)
    await page.getByLabel('To erase').fill('somebody else')
    await page.getByRole('button', { name: 'Erase for good' }).press('Enter')
    await page.getByRole('alert').waitFor()
    assert.deepEqual(await serious(page), [])
    await page.getByLabel('To erase').fill(name)
    await page.getByRole('button', { name: 'Erase for good' }).press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Audit log' }).waitFor()
    await page.locator('.entry').first().getByText('A guest erased').waitFor()
    await shoot(page, 'audit')
    await page.goto(`${visit.scene.url}/console/conversations/${visit.scene.threads.failed}`)
    await page.getByRole('heading', { name: 'Not Found' }).waitFor()
    await page.context().close()
  })

  test('the pages may be read in Hebrew, from right to left', async () => {
    const page = await visit.open('/console/account')
    await page.getByLabel('Language').selectOption({ label: 'עברית' })
    await page.locator('form[action$="/language"] button').press('Enter')
    await page.locator('html[dir=rtl]').waitFor()
    assert.deepEqual(await wider(page), [])
    await shoot(page, 'account-hebrew')
    await page.locator('#language').selectOption('')
    await page.locator('form[action$="/language"] button').press('Enter')
    await page.locator('html[dir=ltr]').waitFor()
    await page.context().close()
  })

  test('nothing is wider than a window of 320 pixels, also with text of twice the size', async () => {
    const page = await visit.open('/console/account', { viewport: ZOOMED_FOUR_TIMES })
    for (const [name, path] of pages()) {
      await page.goto(visit.scene.url + path)
      await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
      assert.deepEqual(await wider(page), [], name)
      await shoot(page, `${name}-320`)
      await page.addStyleTag({ content: 'html { font-size: 200% }' })
      assert.deepEqual(await wider(page), [], `${name} with large text`)
    }
    await page.context().close()
  })

  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    test(`axe finds nothing serious in ${colorScheme}`, async () => {
      const page = await visit.open('/console/account', { colorScheme })
      for (const [name, path] of pages()) {
        await page.goto(visit.scene.url + path)
        await page.locator('details').evaluateAll(all => all.forEach(one => one.setAttribute('open', '')))
        assert.deepEqual(await serious(page), [], `${name} in ${colorScheme}`)
        await shoot(page, `${name}-${colorScheme}`)
      }
      await page.context().close()
    })
  }

  /** @returns {Array<[string, string]>} names and addresses */
  function pages () {
    return [
      ['team', '/console/team'],
      ['account', '/console/account'],
      ['second-factor', '/console/account/second-factor'],
      ['keys', '/console/keys'],
      ['audit', '/console/audit'],
      ['guest-data', '/console/guests/1/data']
    ]
  }
})

/**
 * What an authenticator app shows.
 * @param {string} key as it is typed
 * @param {number} stepsOff from now
 */
function codeOf (key, stepsOff) {
  const bits = [...key.replaceAll(' ', '')]
    .map(letter => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / STEP_MS) + stepsOff))
  const digest = createHmac('sha1', secret).update(step).digest()
  const place = (digest.at(-1) ?? 0) & 0xF
  return String((digest.readUInt32BE(place) & 0x7FFFFFFF) % 1_000_000).padStart(6, '0')
}
