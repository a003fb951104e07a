/**
 * A person enrols their device in the web app: by a typed code, by a link, after a refusal. Real federation, real browser.
 * PICTURES names a folder for pictures of the card. Last run: 2026-12, two shared cores, 8 CPU seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LocalFederation, startFederation, startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { go, noonOffsetMin, openContext, start } from './app-page.ts'
import { launchChromium } from './chromium.ts'
import { accessibilityFaults, overflowPx } from './page-checks.ts'

const folder = resolve(fileURLToPath(import.meta.url), '../../../app/dist')
const { PICTURES } = process.env

describe('the card that enrols a device', () => {
  let dir: string
  let federation: LocalFederation
  let server: WebServer
  let browser: Browser
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-enrolment-'))
    ;[federation, browser] = await Promise.all([
      startFederation({ dir, parameters: { shards: 1 }, tokensPerDay: 4 }),
      launchChromium(),
    ])
    const town = { type: 'FeatureCollection', offsetMin: noonOffsetMin(Date.now()), features: [] }
    server = await startWebServer({
      folder,
      documents: { '/federation.json': federation.manifest, '/demo-track.geojson': town },
    })
  }, 300_000)
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.stop(), federation?.stop()])
    await rm(dir, { recursive: true, force: true })
  })

  async function look(page: Page, name: string): Promise<void> {
    const card = page.locator('section', { has: page.locator('#tokens') })
    for (const [width, height] of [
      [1280, 800],
      [360, 740],
    ] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height })
        await page.emulateMedia({ colorScheme })
        expect(await accessibilityFaults(page)).toEqual([])
        expect(await overflowPx(page)).toBeLessThanOrEqual(0)
        if (PICTURES) await card.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`) })
      }
    }
  }

  it('a typed code enrols the device after a wrong and a spent one were refused by name', {
    timeout: 300_000,
  }, async () => {
    const { codes } = await federation.central.issueEnrolmentCodes({ count: 2 })
    const app = await openContext(browser, server.url)
    app.context.setDefaultTimeout(20_000)
    const page = await start(app)
    await go(page, 'settings?help=tokens')
    const field = page.getByLabel('Enrolment code')
    await page.getByText('This device is not enrolled. It shares').waitFor()
    const enrol = page.getByRole('button', { name: 'Enrol this device' })
    await field.fill('aaaaaaaaaaaaaaaa')
    await enrol.click()
    await page.getByText('This is not a code of the authority').waitFor()
    await look(page, 'refused')
    await field.fill(codes[0]!.toLowerCase())
    expect(await field.inputValue()).toBe(codes[0])
    await enrol.click()
    await page.getByText(/Enrolled\. Tokens for today: \d/).waitFor()
    await look(page, 'enrolled')

    // Another device, by a link, with the spent code first.
    const other = await openContext(browser, server.url)
    other.context.setDefaultTimeout(20_000)
    const linked = await other.open(`#/settings?enrol=${codes[0]}`)
    expect(await linked.getByLabel('Enrolment code').inputValue()).toBe(codes[0])
    await linked.getByRole('button', { name: 'Enrol this device' }).click()
    await linked.getByText('This code was used before').waitFor()
    await linked.getByLabel('Enrolment code').fill(codes[1]!)
    await linked.getByRole('button', { name: 'Enrol this device' }).click()
    await linked.getByText(/Enrolled\. Tokens for today: 0/).waitFor()
    // German.
    await linked.locator('#languages').selectOption('de')
    await linked.getByText(/Angemeldet\. Marken für heute: 0/).waitFor()
    await look(linked, 'german')
    expect([...app.faults, ...other.faults]).toEqual([])
    await Promise.all([app.context.close(), other.context.close()])
  })
})
