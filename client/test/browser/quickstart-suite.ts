/** The quickstart of the README, word for word, which Vite bundles and Chromium runs against a real federation. */
import { expect, it } from 'vitest'
import { openContext } from './app-page.ts'
import type { Stage } from './stage.ts'

export function quickstartSuite(stage: () => Stage): void {
  it('the quickstart of the README records, syncs and shows the result in Chromium', async () => {
    const { browser, federation, pages } = stage()
    const before = federation.central.status().syncs
    const { context, faults, open } = await openContext(browser, `${pages.url}quickstart.html`)
    const page = await open()
    await page.getByText('0 hashes deposited, 0 fixes lost, 0 new marks').waitFor()
    expect(federation.central.status().syncs).toBe(before + 1)
    // The page says that a fix less accurate than 10 m is not kept.
    await context.setGeolocation({ latitude: 52.53, longitude: 13.405, accuracy: 50 })
    await page.getByText('not kept: inaccurate').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })
}
