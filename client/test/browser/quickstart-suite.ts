/** The examples of the README, word for word, which Vite bundles and Chromium runs against a real federation. */
import { expect, it } from 'vitest'
import { openContext } from './app-page.ts'
import type { Stage } from './stage.ts'

export function quickstartSuite(stage: () => Stage): void {
  it('the quickstart of the README records, syncs and shows the result in Chromium', async () => {
    const { browser, federation, pages } = stage()
    const before = federation.central.status().syncs
    const { context, faults, open } = await openContext(browser, `${pages.url}quickstart.html`)
    const page = await open()
    // Nothing leaves the device before the person agrees.
    expect(federation.central.status().syncs).toBe(before)
    await page.getByRole('button', { name: 'I agree' }).click()
    await page.getByText('0 hashes deposited, 0 fixes held, 0 fixes lost').waitFor()
    await page.getByText('Not protected').first().waitFor()
    expect(federation.central.status().syncs).toBe(before + 1)
    // The page says that a fix less accurate than 10 m is not kept.
    await context.setGeolocation({ latitude: 52.53, longitude: 13.405, accuracy: 50 })
    await page.getByText('not kept: too inaccurate').first().waitFor()
    expect(faults).toEqual([])
    await context.close()
  })

  it('a React app in StrictMode opens its storage twice without a lock, records by Capacitor, and frees the storage', async () => {
    const { browser, pages } = stage()
    const { context, faults, open } = await openContext(browser, `${pages.url}react.html`)
    const page = await open()
    // Both mounts opened a tracer, and the second one records.
    await page.getByText('{"accepted":true} 2 opened').waitFor()
    expect(await page.evaluate(() => (globalThis as unknown as { leave: () => Promise<string> }).leave())).toBe('free')
    expect(faults).toEqual([])
    await context.close()
  })
}
