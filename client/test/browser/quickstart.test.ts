/** The README's quickstart, word for word, bundled by Vite and run in Chromium against a real federation on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalFederation, startFederation, type WebServer } from '@geotrace/node/testing'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openContext } from './app-page.ts'
import { inChromium, launchChromium } from './chromium.ts'
import { servePage } from './pages.ts'

inChromium('the quickstart in Chromium', () => {
  let dir: string
  let federation: LocalFederation
  let server: WebServer
  let browser: Browser

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-quickstart-'))
    ;[federation, browser] = await Promise.all([startFederation({ dir }), launchChromium()])
    server = await servePage('../../examples/quickstart.ts', { '/federation.json': federation.manifest })
  })
  afterAll(async () => {
    await Promise.all([browser?.close(), server?.stop()])
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('records, syncs and shows what came of it', async () => {
    const before = federation.central.status().syncs
    const { context, faults, open } = await openContext(browser, server.url)
    const page = await open()
    await page.getByText('0 hashes deposited, 0 fixes lost, 0 new marks').waitFor()
    expect(federation.central.status().syncs).toBe(before + 1)
    // Less accurate than 10 m: said, not kept.
    await context.setGeolocation({ latitude: 52.53, longitude: 13.405, accuracy: 50 })
    await page.getByText('not kept: inaccurate').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })
})
