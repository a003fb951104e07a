/** Drives the web app for its tests: a browser context with a mocked position, a clock that can jump, and its faults. */
import { systemClock } from '@geotrace/core-wasm'
import type { LocalFederation } from '@geotrace/node/testing'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { createTracer, libp2pDialer, memoryStorage, type Tracer } from '../../src/node.ts'
import { PAGE_WAIT_MS } from './chromium.ts'

export const MINUTE = 60_000
/** After this time the 5-minute block of any fix is over. */
export const AHEAD_MS = 6 * MINUTE
export const CAFE = { latitude: 52.52, longitude: 13.405, accuracy: 5 }

export interface AppContext {
  context: BrowserContext
  /** Errors of the pages, and refusals of their policy. */
  faults: string[]
  open(hash?: string): Promise<Page>
}

/** The offset in minutes from UTC to a time zone where it is noon now. From 22:00 on deposits would wait for the morning. */
export function noonOffsetMin(nowMs: number): number {
  return 12 * 60 - (Math.floor(nowMs / MINUTE) % (24 * 60))
}

/** A time zone in which it is about noon now, so that the day of the diary does not end during a test. */
function toNoonZone(nowMs: number): string {
  const west = (Math.floor(nowMs / (60 * MINUTE)) % 24) - 12
  return `Etc/GMT${west < 0 ? west : `+${west}`}`
}

export async function openContext(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<AppContext> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    geolocation: CAFE,
    permissions: ['geolocation'],
    locale: 'en-GB',
    timezoneId: toNoonZone(Date.now()),
    reducedMotion: 'reduce',
    ...options,
  })
  context.setDefaultTimeout(PAGE_WAIT_MS)
  await context.addInitScript(() => {
    const real = Date.now
    Date.now = () => real() + Number(localStorage.getItem('test-ahead-ms') ?? 0)
  })
  const faults: string[] = []
  return {
    context,
    faults,
    async open(hash = '') {
      const page = await context.newPage()
      page.on('pageerror', (error) => faults.push(String(error)))
      page.on('console', (message) => {
        const text = message.text()
        // The app reports a WebSocket or a fetch without a network to the user, so this is not a fault.
        if (message.type() === 'error' && !/ERR_INTERNET_DISCONNECTED|WebSocket connection/.test(text))
          faults.push(text)
      })
      await page.goto(`${url}${hash}`)
      return page
    },
  }
}

/** Moves the page's clock forward, as the clock of a phone that slept. */
export async function goAhead(page: Page, ms: number): Promise<void> {
  await page.evaluate((ahead) => localStorage.setItem('test-ahead-ms', String(ahead)), ms)
}

/** Presses Tab until the focus is on an element with this text or label. Throws after 80 presses. */
export async function tabTo(page: Page, name: string): Promise<void> {
  for (let i = 0; i < 80; i++) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      return element?.getAttribute('aria-label') ?? element?.textContent?.trim() ?? ''
    })
    if (focused.startsWith(name)) return
  }
  throw new Error(`no way to "${name}" with the keyboard`)
}

/** Opens the app, agrees to everything and waits for the first sync. */
export async function start(app: AppContext): Promise<Page> {
  const page = await app.open()
  await page.getByLabel('Send fingerprints').check()
  await page.getByRole('button', { name: 'Start' }).click()
  await page.getByText('Three things').waitFor()
  await go(page, 'map')
  await page.getByLabel('Map of your positions').waitFor()
  await page.locator('.connection[data-state=good]').waitFor({ state: 'attached' })
  return page
}

export async function go(page: Page, view: string): Promise<void> {
  await page.evaluate((hash) => {
    location.hash = hash
  }, `#/${view}`)
}

/** So that deposits are not held. */
export async function markHomeFarAway(page: Page): Promise<void> {
  await go(page, 'map?at=52.62,13.505')
  await page.getByRole('button', { name: 'My home is here' }).click()
  await page.getByRole('button', { name: 'Yes, hide this zone' }).click()
  await page.getByText('This is your home now').waitFor()
}

export async function sync(page: Page): Promise<void> {
  await go(page, 'sync')
  await page.getByRole('button', { name: 'Sync now' }).click()
  await page.getByText('What the last sync did').waitFor()
  await page.getByRole('button', { name: 'Sync now' }).waitFor()
}

/** Another person was at the café at the same time, with the SDK in Node. */
export async function meetAda(federation: LocalFederation): Promise<Tracer> {
  const ada = await createTracer({
    federation: federation.manifest,
    storage: memoryStorage(),
    dialer: libp2pDialer(),
    clock: { ...systemClock(), now: () => Date.now() + AHEAD_MS },
    redaction: false,
  })
  const fix = { lat: CAFE.latitude, lng: CAFE.longitude, accuracyM: 5, at: Date.now() }
  expect(await ada.record(fix)).toEqual({ accepted: true })
  return ada
}

/** The person reports with a fresh code, and the central peer has computed the marks of others. */
export async function reportAs(person: Tracer, federation: LocalFederation): Promise<void> {
  const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
  expect(await person.report(code!)).toMatchObject({ report: 'accepted' })
  await person.close()
  await federation.central.settled()
}
