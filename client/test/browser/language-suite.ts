/** The languages of the web app: the choice, a right-to-left language in every view, and texts outside of the catalogue. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  AHEAD_MS,
  go,
  goAhead,
  markHomeFarAway,
  meetAda,
  noonOffsetMin,
  openContext,
  reportAs,
  start,
  sync,
} from './app-page.ts'
import { accessibilityFaults, overflowPx } from './page-checks.ts'
import { cutTexts, latinTexts, speakPseudo } from './pseudo-language.ts'
import type { Stage } from './stage.ts'

const folder = resolve(fileURLToPath(import.meta.url), '../../../app/dist')
const VIEWS = ['start', 'map', 'diary', 'exposures', 'sync', 'report', 'privacy', 'lab', 'transfer', 'settings', 'more']
/** Views with details that other tests leave closed. */
const UNFOLDED = ['exposures', 'privacy', 'settings']
const WIDTHS = [1280, 320]

export function languageSuite(stage: () => Stage): void {
  let server: WebServer

  beforeAll(async () => {
    const town = { type: 'FeatureCollection', offsetMin: noonOffsetMin(Date.now()), features: [] }
    const documents = { '/federation.json': stage().federation.manifest, '/demo-track.geojson': town }
    server = await startWebServer({ folder, documents })
  })
  afterAll(() => server?.stop())

  it('the web app speaks the language of the browser, and the one chosen in the settings after a reload too', async () => {
    const app = await openContext(stage().browser, server.url, { locale: 'de-DE' })
    const page = await app.open()
    await page.getByText('Waren Sie in der Nähe').waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('de')
    await page.getByRole('button', { name: 'Beginnen' }).click()
    // The app opens this view when its diary is ready.
    await page.getByText('Drei Dinge').waitFor()
    await go(page, 'settings')
    await page.getByRole('combobox', { name: 'Sprache' }).selectOption('English')
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
    await page.reload()
    await page.getByRole('heading', { name: 'Settings' }).waitFor()
    expect(await page.locator('html').getAttribute('lang')).toBe('en')
    await page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch')
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor()
    expect(app.faults).toEqual([])
    await app.context.close()
  })

  /** Opens every part of the view that hides texts, one step of the lab after the other. */
  async function unfold(page: Page, view: string): Promise<void> {
    await page.evaluate(() => {
      for (const details of document.querySelectorAll('main details')) details.setAttribute('open', '')
    })
    if (view === 'lab') await page.locator('.verdict').waitFor()
  }

  it('every view takes all texts from the catalogue, and works from right to left with nothing cut', async () => {
    const { browser, federation } = stage()
    const app = await openContext(browser, server.url, { serviceWorkers: 'block' })
    const page = await start(app)
    await markHomeFarAway(page)
    const ada = await meetAda(federation)
    await goAhead(page, AHEAD_MS)
    await sync(page)
    await reportAs(ada, federation)
    await sync(page)
    await speakPseudo(app.context, folder)
    await page.evaluate(() => localStorage.setItem('geotrace-language', 'de'))
    await page.reload()
    expect(await page.locator('html').getAttribute('dir')).toBe('rtl')
    const faults: string[] = []
    const look = async (where: string) => {
      faults.push(...(await latinTexts(page)).map((text) => `${where}: "${text}" is not of the catalogue`))
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 800 })
        if ((await overflowPx(page)) > 0) faults.push(`${where} scrolls sideways at ${width} px`)
        faults.push(...(await cutTexts(page)).map((text) => `${where} cuts at ${width} px: ${text}`))
      }
      await page.setViewportSize({ width: 1280, height: 800 })
    }
    for (const view of VIEWS) {
      await go(page, view)
      await page.locator('main h1').first().waitFor({ state: 'attached' })
      await unfold(page, view)
      await look(view)
      // The other views are the same from left to right, where another test asks axe.
      if (UNFOLDED.includes(view)) {
        faults.push(...(await accessibilityFaults(page)).map((fault) => `${view}: ${fault}`))
      }
    }
    for (let step = 1; step < 7; step++) {
      await go(page, 'lab')
      await page.locator('.stepper button').nth(step).click()
      await look(`lab step ${step}`)
    }
    await go(page, 'exposures')
    await page.locator('.exposure').waitFor()
    await page.locator('.exposure > button').click()
    await look('exposure to share')
    await go(page, 'map?at=52.52,13.405')
    await page.locator('.spot').waitFor()
    await page.locator('.layers input').last().check()
    await look('place on the map')
    expect([...new Set(faults)]).toEqual([])
    expect(app.faults).toEqual([])
    await app.context.close()
  })
}
