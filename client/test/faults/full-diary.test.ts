/**
 * The web app with fourteen full days against the app with an empty diary, in one run: opening, dragging the map, opening the
 * diary. `npm run test:faults -- full-diary` prints the ratios, which README "Figures" cites. A ratio here is no expectation.
 * `opencpu` is the CPU time of the page's main thread until the first view, which other programs of the machine do not stretch.
 * FAULTS_ROUNDS sets another number of rounds than seven.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type LocalFederation, startFederation, startWebServer, type WebServer } from '@geotrace/node/testing'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AppContext, go, noonOffsetMin, openContext, start } from '../browser/app-page.ts'
import { inChromium, launchChromium } from '../browser/chromium.ts'
import { fullDiary, PASSPHRASE } from '../browser/full-diary.ts'

const folder = resolve(fileURLToPath(import.meta.url), '../../../app/dist')
const ROUNDS = Number(process.env.FAULTS_ROUNDS ?? 7)
const DRAG_STEPS = 90
const CENTRE = { x: 740, y: 460 }

interface Times {
  open: number
  opencpu: number
  frame: number
  diary: number
}

inChromium('fourteen full days', () => {
  const dir = mkdtempSync(join(tmpdir(), 'geotrace-full-diary-'))
  let [federation, browser, server]: [LocalFederation?, Browser?, WebServer?] = []
  beforeAll(async () => {
    ;[federation, browser] = await Promise.all([startFederation({ dir }), launchChromium()])
    const town = { type: 'FeatureCollection', offsetMin: noonOffsetMin(Date.now()), features: [] }
    server = await startWebServer({
      folder,
      documents: { '/federation.json': federation.manifest, '/demo-track.geojson': town },
    })
  })
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.stop(), federation?.stop()])
    rmSync(dir, { recursive: true, force: true })
  })

  it('opens, drags and lists fourteen days nearly as fast as an empty diary', async () => {
    const { file, fixes } = await fullDiary(federation!.manifest, Date.now())
    const apps = { empty: await openApp(), full: await openApp() }
    const pages = { empty: await start(apps.empty), full: await start(apps.full) }
    await go(pages.full, 'transfer')
    await pages.full.getByLabel('Passphrase').fill(PASSPHRASE)
    await pages.full
      .getByLabel('Restore a backup')
      .setInputFiles({ name: 'full.gtb', mimeType: 'application/octet-stream', buffer: file })
    await pages.full.getByText('This device has everything from the backup').waitFor()
    const rounds: Record<'empty' | 'full', Times[]> = { empty: [], full: [] }
    for (let round = 0; round <= ROUNDS; round++) {
      for (const name of ['empty', 'full'] as const) {
        const times = await measure(pages[name], name === 'full' ? fixes : 0)
        // The first round warms both.
        if (round > 0) rounds[name].push(times)
      }
    }
    for (const what of ['open', 'opencpu', 'frame', 'diary'] as const) {
      const [full, empty] = [rounds.full, rounds.empty].map((all) => median(all.map((times) => times[what])))
      const [ratio, figures] = [(full! / empty!).toFixed(2), `${full!.toFixed(1)} : ${empty!.toFixed(1)} ms`]
      process.stdout.write(`${what.padEnd(8)} ${ratio}×   ${figures}, ${fixes} fixes\n`)
    }
    expect(rounds.full).toHaveLength(ROUNDS)
    await Promise.all(Object.values(apps).map(({ context }) => context.close()))
  })

  function openApp(): Promise<AppContext> {
    return openContext(browser!, server!.url, { serviceWorkers: 'block' })
  }
})

async function measure(page: Page, fixes: number): Promise<Times> {
  await go(page, 'map')
  const cpu = await threadTime(page)
  await page.reload()
  const open = await page.waitForFunction((least) => {
    const help = document.querySelector('#map-help')?.textContent ?? ''
    const count = Number(/^[\d.,\s]+/.exec(help)?.[0].replace(/\D/g, '') ?? Number.NaN)
    return count >= least && document.querySelector('canvas') !== null ? performance.now() : false
  }, fixes)
  const opencpu = await cpu()
  await page.getByRole('button', { name: 'All my positions' }).click()
  const frame = await drag(page)
  const begun = await page.evaluate(() => {
    location.hash = '#/diary'
    return performance.now()
  })
  const listed = await page.waitForFunction(
    () => document.querySelector('main .calendar') !== null && performance.now(),
  )
  return { open: Number(await open.jsonValue()), opencpu, frame, diary: Number(await listed.jsonValue()) - begun }
}

/** Reads the CPU time that the page's main thread takes from now on, ms. */
async function threadTime(page: Page): Promise<() => Promise<number>> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const read = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return 1000 * metrics.find(({ name }) => name === 'TaskDuration')!.value
  }
  const before = await read()
  return async () => {
    const after = await read()
    await session.detach()
    return after - before
  }
}

/** The 95th percentile of the times between two frames while the map is dragged, ms. */
async function drag(page: Page): Promise<number> {
  await page.evaluate(() => {
    const frames: number[] = []
    Object.assign(globalThis, { frames })
    let last = performance.now()
    const next = (): void => {
      const now = performance.now()
      frames.push(now - last)
      last = now
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
  })
  await page.mouse.move(CENTRE.x, CENTRE.y)
  await page.mouse.down()
  for (let i = 0; i < DRAG_STEPS; i++) {
    await page.mouse.move(CENTRE.x + 120 * Math.sin(i / 8), CENTRE.y + 90 * Math.cos(i / 8))
  }
  await page.mouse.up()
  const frames = await page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames)
  return frames.sort((a, b) => a - b)[Math.floor(frames.length * 0.95)]!
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
