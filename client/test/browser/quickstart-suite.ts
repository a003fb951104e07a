/** The README's quickstart, word for word, bundled by Vite and run in Chromium against a real federation on loopback. */
import { expect, it } from 'vitest'
import { openContext } from './app-page.ts'
import type { Stage } from './stage.ts'

export function quickstartSuite(stage: () => Stage): void {
  it('records, syncs and shows what came of it', async () => {
    const { browser, federation, pages } = stage()
    const before = federation.central.status().syncs
    const { context, faults, open } = await openContext(browser, `${pages.url}quickstart.html`)
    const page = await open()
    await page.getByText('0 hashes deposited, 0 fixes lost, 0 new marks').waitFor()
    expect(federation.central.status().syncs).toBe(before + 1)
    // Less accurate than 10 m: said, not kept.
    await context.setGeolocation({ latitude: 52.53, longitude: 13.405, accuracy: 50 })
    await page.getByText('not kept: inaccurate').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })
}
