/** The web app against a real federation on loopback, in a real browser, under the Content-Security-Policy of `npm start`. */
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LocalFederation, startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  AHEAD_MS,
  CAFE,
  go,
  goAhead,
  MINUTE,
  markHomeFarAway,
  meetAda,
  noonOffsetMin,
  openContext,
  reportAs,
  start,
  sync,
  tabTo,
} from './app-page.ts'
import { filmQrCode } from './camera.ts'
import { launchChromium } from './chromium.ts'
import { accessibilityFaults, overflowPx } from './page-checks.ts'
import type { Stage } from './stage.ts'

const folder = resolve(fileURLToPath(import.meta.url), '../../../app/dist')
const VIEWS = ['start', 'map', 'diary', 'exposures', 'sync', 'report', 'privacy', 'lab', 'transfer', 'settings', 'more']

async function countRows(federation: LocalFederation): Promise<number> {
  const { days } = await federation.central.statistics()
  return days.reduce((sum, { rows }) => sum + rows, 0)
}

export function appSuite(stage: () => Stage): void {
  let dir: string
  let federation: LocalFederation
  let server: WebServer
  let browser: Browser

  beforeAll(async () => {
    ;({ dir, federation, browser } = stage())
    const town = { type: 'FeatureCollection', offsetMin: noonOffsetMin(Date.now()), features: [] }
    const documents = { '/federation.json': federation.manifest, '/demo-track.geojson': town }
    server = await startWebServer({ folder, documents })
  })
  afterAll(() => server?.stop())

  it('the web app turns a position into a deposit and then shows an exposure', async () => {
    const app = await openContext(browser, server.url, { permissions: ['geolocation', 'notifications'] })
    const page = await start(app)
    await go(page, 'diary')
    await page.locator('.state', { hasText: /open|waiting/ }).waitFor()
    await page.getByRole('button', { name: '1 position', exact: true }).click()
    expect(await page.locator('.diary-table').innerText()).toContain('52.52000, 13.40500')
    await markHomeFarAway(page)

    const ada = await meetAda(federation)
    await goAhead(page, AHEAD_MS)
    await sync(page)
    await go(page, 'diary')
    await page.getByText('deposited', { exact: true }).waitFor()
    await go(page, 'exposures')
    await page.getByText('No known exposure').waitFor()
    await reportAs(ada, federation)

    await sync(page)
    await go(page, 'exposures')
    const card = page.locator('.exposure')
    await card.waitFor()
    expect(await card.innerText()).toMatch(/You were there within .* minutes.*\n*.*They reported a positive test/)
    await page.getByRole('link', { name: '1 new' }).waitFor()
    const shown = page.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready
      return (await worker.getNotifications()).map(({ title, body }) => `${title}: ${body}`)
    })
    expect(await shown).toEqual(['Geo Trace: There is news for you.'])
    await checkCard(card)
    await card.getByRole('button', { name: 'That was not me' }).click()
    await page.getByText('No known exposure').waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await card.getByRole('button', { name: 'I was there' }).click()
    await page.getByText('You said that you were there').first().waitFor()
    await page.getByRole('button', { name: 'Undo' }).click()
    await card.getByRole('button', { name: 'I was there' }).waitFor()
    await card.getByRole('button', { name: 'That was not me' }).click()
    await page.getByText('No known exposure').waitFor()

    await go(page, 'privacy')
    await page.locator('.frames summary').first().click()
    expect(await page.locator('.frames [open] .hexdump').innerText()).toMatch(/^0000\s?0[12] /)
    const to = await page.locator('.frames summary .grow').allInnerTexts()
    // Syncs go through a salt node.
    expect(to).not.toContain('central peer of authority')
    expect((await page.locator('.frames summary .mono').allInnerTexts()).some((name) => name === '/relay/1')).toBe(true)
    expect(to.some((name) => name.startsWith('salt node of'))).toBe(true)
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  /** The card shows the place, both presences and dated advice, and shares the place only on purpose. */
  async function checkCard(card: Locator): Promise<void> {
    await card.getByLabel('Map of this place').waitFor()
    expect(await card.locator('.presences').innerText()).toMatch(/You.*They, some time in/s)
    await card.getByText(/Get tested on \w+ \d+ \w+/).waitFor()
    await card.getByRole('button', { name: 'Share or print' }).click()
    const text = card.locator('.share-text')
    expect(await text.innerText()).not.toContain('52.52')
    await card.getByLabel('With the place').check()
    expect(await text.innerText()).toContain('52.52000, 13.40500')
    await card.getByRole('button', { name: 'Close' }).click()
  }

  /** Deposits the position of this page, so that its hours can be compared. */
  async function deposit(page: Page): Promise<void> {
    await markHomeFarAway(page)
    await goAhead(page, AHEAD_MS)
    await sync(page)
  }

  it('the status on every main view says what is missing, and a device without deposits gets no all-clear', async () => {
    const app = await openContext(browser, server.url, { permissions: [] })
    const page = await app.open()
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByText('Three things').waitFor()
    for (const view of ['map', 'diary', 'exposures', 'sync']) {
      await go(page, view)
      const status = page.getByLabel('Status', { exact: true })
      await status.getByText('Not protected').waitFor()
      await status.getByText('The browser does not give this page your location', { exact: false }).waitFor()
    }
    await go(page, 'diary')
    await page.getByText('The browser did not give this page your location').waitFor()
    await go(page, 'exposures')
    await page.getByText('Nothing is known yet').waitFor()
    expect(await page.getByText('No known exposure').count()).toBe(0)
    await go(page, 'report')
    await page.getByText('No hour can warn others yet').waitFor()
    await page.getByLabel('Report code').fill('0000-0000-0000-0000')
    await page.getByRole('checkbox').check()
    expect(await page.getByRole('button', { name: 'Report', exact: true }).isDisabled()).toBe(true)
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('the web app reports with a code, explains a wrong one, updates the report with the same code, and takes it back', async () => {
    const app = await openContext(browser, server.url)
    const page = await start(app)
    await deposit(page)
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    const report = async (text: string) => {
      await go(page, 'report')
      await page.getByLabel('Report code').fill(text)
      await page.getByRole('checkbox').check()
      await page.getByRole('button', { name: 'Report', exact: true }).click()
    }
    await report('0000-0000-0000-0000')
    await page.getByText('not a code of the authority').waitFor()
    // The answer concerns the code alone: the sync that brought it succeeded.
    expect(await page.locator('.connection').getAttribute('data-state')).toBe('good')
    await report(code!.toLowerCase().replaceAll('-', ''))
    await page.getByText('Reported.').waitFor()
    await page.getByText('Thank you for reporting').waitFor()
    await report(code!)
    await page.getByText('The report was updated').waitFor()
    // The report lasts over a reload, and the person takes it back.
    await page.reload()
    await page.getByText('You reported on').waitFor()
    await page.getByText('Take the report back').click()
    await page.getByRole('button', { name: 'It was an error' }).click()
    await page.getByText('You took this report back.').waitFor()
    await page.reload()
    await page.getByText('You took this report back.').waitFor()
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('the web app reads a report code with the camera, and explains a missing permission', async () => {
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    const seeing = await launchChromium(
      await filmQrCode(`https://authority.example/report/${code}`, join(dir, 'qr.y4m')),
    )
    try {
      const app = await openContext(seeing, server.url, { permissions: ['geolocation', 'camera'] })
      const page = await start(app)
      await deposit(page)
      await go(page, 'report')
      await page.getByRole('button', { name: 'Scan a QR code' }).click()
      await expect.poll(() => page.getByLabel('Report code').inputValue()).toBe(code)
      // The page closes the camera after it has read the code.
      await page.getByLabel('What the camera sees').waitFor({ state: 'detached' })
      await page.getByRole('checkbox').check()
      await page.getByRole('button', { name: 'Report', exact: true }).click()
      await page.getByText('Reported.').waitFor()
      await app.context.clearPermissions()
      await page.getByRole('button', { name: 'Scan a QR code' }).click()
      await page.getByText('The camera is not allowed to this page').waitFor()
      expect(app.faults).toEqual([])
    } finally {
      await seeing.close()
    }
  })

  it('the web app opens without a network, keeps recording, and deposits when the network is back', async () => {
    const app = await openContext(browser, server.url)
    const page = await start(app)
    await markHomeFarAway(page)
    await page.evaluate(async () => void (await navigator.serviceWorker.ready))
    // The first visit loads before the service worker runs. The next visit goes through the service worker.
    await page.waitForFunction(
      async () => (await caches.keys()).length > 0 && navigator.serviceWorker.controller !== null,
    )
    await app.context.setOffline(true)
    await page.reload()
    await page.getByText('Offline', { exact: true }).waitFor()
    await go(page, 'diary')
    await page.locator('.state', { hasText: /open|waiting/ }).waitFor()
    await go(page, 'lab')
    await page.getByText('When Ada reports, Ben is notified').waitFor()
    // The app began a sync when it opened. If the clock jumped within it, the device would correct the jump and keep the fix open.
    await go(page, 'sync')
    await page.getByRole('alert').waitFor()
    await page.getByRole('button', { name: 'Sync now' }).waitFor()
    await goAhead(page, AHEAD_MS)
    await app.context.setOffline(false)
    await sync(page)
    await go(page, 'diary')
    await page.getByText('deposited', { exact: true }).first().waitFor()
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('one tab at a time opens the diary, and the next tab opens it after a crash during a sync', async () => {
    const app = await openContext(browser, server.url)
    const first = await start(app)
    await markHomeFarAway(first)
    await goAhead(first, AHEAD_MS)
    const second = await app.open('#/sync')
    await second.getByText('Open in another tab').waitFor()
    await go(first, 'sync')
    const sending = first.waitForEvent('websocket')
    await first.getByRole('button', { name: 'Sync now' }).click()
    await sending
    const before = await countRows(federation)
    await first.goto('chrome://crash').catch(() => undefined)
    await second.getByText('What the last sync did').waitFor()
    await go(second, 'diary')
    await second.getByText('deposited', { exact: true }).first().waitFor()
    expect(await second.locator('.state').count()).toBe(1)
    // The rows of the one fix are there once, whether or not the batch of the crashed tab had arrived.
    expect((await countRows(federation)) - before).toBe(30)
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  /** The slider of the map shows the fixes of all days, of today and of yesterday. */
  async function chooseDays(page: Page): Promise<void> {
    await go(page, 'map')
    const slider = page.getByRole('slider', { name: 'Day' })
    const known = page.locator('#map-help')
    expect(await slider.getAttribute('aria-valuetext')).toBe('All days')
    expect(await known.innerText()).toMatch(/^1 position /)
    await slider.press('ArrowLeft')
    await expect.poll(() => known.innerText()).toMatch(/^1 position /)
    await slider.press('ArrowLeft')
    await expect.poll(() => known.innerText()).toMatch(/^0 positions /)
    await slider.press('End')
    await expect.poll(() => known.innerText()).toMatch(/^1 position /)
    await go(page, 'diary')
  }

  it('the diary names a stay, and takes a deleted stay back at the central peer', async () => {
    const app = await openContext(browser, server.url)
    const page = await start(app)
    const before = await countRows(federation)
    await deposit(page)
    expect((await countRows(federation)) - before).toBe(30)
    await go(page, 'diary')
    await page.getByRole('button', { name: 'Name' }).click()
    await page.getByLabel('Name of this place').fill('Café Anna')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Café Anna').waitFor()
    await page.reload()
    await page.getByText('Café Anna').waitFor()
    await chooseDays(page)
    await page.getByRole('button', { name: 'Delete', exact: true }).first().click()
    await page.getByRole('button', { name: 'Yes, delete this stay' }).click()
    await page.getByText('1 position deleted').waitFor()
    await sync(page)
    expect(await countRows(federation)).toBe(before)
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('the diary states why hours are missing, takes a place by hand, and deletes a position and a day', async () => {
    const app = await openContext(browser, server.url, { geolocation: { ...CAFE, accuracy: 35 } })
    const page = await start(app)
    await go(page, 'diary')
    await page.getByText('Only positions that were too inaccurate came').waitFor()
    await page.getByText('Before the diary', { exact: true }).waitFor()
    await go(page, 'settings')
    await page.getByRole('button', { name: 'Pause' }).click()
    await go(page, 'diary')
    await page.getByText('You had paused recording').waitFor()
    await go(page, 'settings')
    await page.getByRole('button', { name: 'Resume' }).click()
    await go(page, 'map?pick=stay&at=52.53,13.42')
    await page.getByRole('button', { name: 'I was here' }).click()
    await page.getByText('12 positions taken').waitFor()
    await page.getByRole('link', { name: 'See the diary' }).click()
    await page.getByRole('button', { name: '12 positions' }).click()
    await page
      .getByRole('button', { name: /^Delete the position of/ })
      .first()
      .click()
    await page.getByRole('button', { name: '11 positions' }).waitFor()
    await page.getByRole('button', { name: 'Delete this day' }).click()
    await page.getByRole('button', { name: 'Yes, delete this day' }).click()
    await page.getByText('No positions on this day').waitFor()
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('the web app runs nothing that its Content-Security-Policy forbids', async () => {
    const app = await openContext(browser, server.url)
    const page = await start(app)
    const policy = (await (await fetch(server.url)).headers.get('content-security-policy'))!
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|\*|data:.*script/)
    expect(app.faults).toEqual([])
    const refused = await page.evaluate(async () => {
      const violations: string[] = []
      document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective))
      const script = document.createElement('script')
      script.textContent = 'globalThis.inlined = true'
      document.head.append(script)
      const style = document.createElement('style')
      style.textContent = 'body { display: none }'
      document.head.append(style)
      await fetch('http://127.0.0.9:1/').catch(() => undefined)
      await new Promise((done) => setTimeout(done, 100))
      return { violations, inlined: 'inlined' in globalThis }
    })
    expect(refused.inlined).toBe(false)
    expect([...new Set(refused.violations)].sort()).toEqual(['connect-src', 'script-src-elem', 'style-src-elem'])
    await app.context.close()
  })

  it('the web app imports a track, shows the line of a fault, and moves to another browser by a backup', async () => {
    const app = await openContext(browser, server.url)
    const page = await start(app)
    await go(page, 'transfer')
    const at = Date.now() - 30 * MINUTE
    const record = (ms: number) => ({
      latitudeE7: 525200000,
      longitudeE7: 134050000,
      accuracy: 8,
      timestampMs: `${ms}`,
    })
    const choose = (name: string, text: string) =>
      page.getByLabel('Choose a file').setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) })
    await choose('Records.json', JSON.stringify({ locations: [record(at), record(at + 5 * MINUTE)] }))
    await page.getByText('2 positions taken').waitFor()
    await page.getByText('Records.json: 2 entries = 2 read + 0 left out').waitFor()
    await choose('Records.json', '{"locations": [\n{"latitudeE7": "north", "longitudeE7": 1}]}')
    await page.getByText('Records.json, line 2: $.locations[0]: the latitude "north"').waitFor()

    await page.getByLabel('Passphrase').fill('correct horse')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save a backup' }).click(),
    ])
    const file = join(dir, 'backup.gtb')
    await download.saveAs(file)
    const other = await openContext(browser, server.url)
    const phone = await other.open('#/transfer')
    await phone.getByLabel('Passphrase').fill('wrong horse!')
    await phone.getByLabel('Restore a backup').setInputFiles(file)
    await phone.getByText('the passphrase is wrong or the file is damaged').waitFor()
    await phone.getByLabel('Passphrase').fill('correct horse')
    await phone.getByLabel('Restore a backup').setInputFiles(file)
    await phone.getByText('This device has everything from the backup').waitFor()
    await go(phone, 'diary')
    await phone.getByRole('button', { name: '2 positions' }).click()
    expect(await phone.locator('.diary-table tbody tr').count()).toBe(2)
    expect([...app.faults, ...other.faults]).toEqual([])
    await Promise.all([app.context.close(), other.context.close()])
  })

  it('the web app passes axe and never scrolls sideways, in light and dark, from 320 px to 1400 px', async () => {
    const faults: string[] = []
    for (const [width, colorScheme] of [
      [1400, 'light'],
      [360, 'dark'],
    ] as const) {
      const app = await openContext(browser, server.url, { viewport: { width, height: 800 }, colorScheme })
      const welcome = await app.open()
      await welcome.getByRole('button', { name: 'Start' }).waitFor()
      faults.push(...(await accessibilityFaults(welcome)).map((fault) => `welcome ${width} ${colorScheme} ${fault}`))
      await welcome.close()
      const page = await start(app)
      for (const view of VIEWS) {
        await go(page, view)
        await page.locator('main h1').first().waitFor({ state: 'attached' })
        if (view === 'lab') await page.locator('.verdict').waitFor()
        faults.push(...(await accessibilityFaults(page)).map((fault) => `${view} ${width} ${colorScheme} ${fault}`))
        // A zoom of 200 % leaves 700 px of 1400 px, and 320 px of 640 px.
        for (const narrow of [width, 700, 320]) {
          await page.setViewportSize({ width: narrow, height: 800 })
          if ((await overflowPx(page)) > 0) faults.push(`${view} scrolls sideways at ${narrow} px`)
        }
        await page.setViewportSize({ width, height: 800 })
      }
      expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
      await app.context.close()
    }
    expect(faults).toEqual([])
  })

  it('the web app works with the keyboard alone', async () => {
    const app = await openContext(browser, server.url)
    const page = await app.open()
    await page.getByRole('button', { name: 'Start' }).waitFor()
    await tabTo(page, 'Start')
    await page.keyboard.press('Enter')
    await page.getByText('Three things').waitFor()
    await tabTo(page, 'Go to the map')
    await page.keyboard.press('Enter')
    await page.getByLabel('Map of your positions').waitFor()
    await tabTo(page, 'Map of your positions')
    for (const key of ['+', '+', 'ArrowLeft', 'Enter']) await page.keyboard.press(key)
    await page.getByRole('complementary', { name: 'This place' }).waitFor()
    await tabTo(page, 'Hide 200 m here')
    await page.keyboard.press('Enter')
    await page.keyboard.press('Home')
    await tabTo(page, 'Settings')
    await page.keyboard.press('Enter')
    await page.getByText('200 m around').waitFor()
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('content')
    await tabTo(page, 'Remove')
    await page.keyboard.press('Space')
    await page.getByText('200 m around').waitFor({ state: 'detached' })
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  it('the lab shows how distance and time decide about a match', async () => {
    const app = await openContext(browser, server.url)
    const page = await app.open('#/lab')
    await page.getByText('When Ada reports, Ben is notified').waitFor()
    await page.getByRole('slider', { name: 'Apart' }).fill('40')
    await page.getByText('Ben learns nothing').waitFor()
    await page.getByRole('slider', { name: 'Apart' }).fill('2')
    await page.getByText('When Ada reports, Ben is notified').waitFor()
    await page
      .getByRole('button', { name: /Risk hashes/ })
      .first()
      .click()
    await page.getByText(/the hashes are equal: \d+ times/).waitFor()
    await page.getByRole('slider', { name: 'Ben' }).fill('-90')
    await page.getByText('Ben learns nothing').waitFor()
    expect(app.faults).toEqual([])
    await app.context.close()
  })
}
