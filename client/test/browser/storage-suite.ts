/** IndexedDB as the storage of a tracer, in a real browser: reload, sealing, two tabs, a full disk, lost data. */
import type { BrowserContext, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PAGE_WAIT_MS } from './chromium.ts'
import type { Stage } from './stage.ts'
import type {} from './storage-page.ts'

export function storageSuite(stage: () => Stage): void {
  let context: BrowserContext
  const refused: string[] = []

  beforeEach(async () => {
    context = await stage().browser.newContext()
    context.setDefaultTimeout(PAGE_WAIT_MS)
  })
  afterEach(async () => {
    await context.close()
    expect(refused.splice(0)).toEqual([])
  })

  async function openPage(): Promise<Page> {
    const page = await context.newPage()
    page.on('console', (message) => /Content Security Policy/.test(message.text()) && refused.push(message.text()))
    page.on('pageerror', (error) => refused.push(String(error)))
    await page.goto(`${stage().pages.url}storage.html`)
    await page.waitForFunction(() => 'storagePage' in globalThis)
    return page
  }

  it('the storage keeps its entries over a reload, sealed under a key that cannot leave the browser', async () => {
    const page = await openPage()
    expect(await page.evaluate(() => storagePage.open('kept'))).toBe('open')
    const entries = { 'fix/00000001': [1, 2], 'fix/00000002': [], 'meta/user': [3] }
    expect(await page.evaluate((all) => storagePage.put('kept', all), entries)).toBe('put')
    await page.reload()
    await page.waitForFunction(() => 'storagePage' in globalThis)
    expect(await page.evaluate(() => storagePage.open('kept'))).toBe('open')
    expect(await page.evaluate(() => storagePage.get('kept', 'fix/00000001'))).toEqual([1, 2])
    expect(await page.evaluate(() => storagePage.keys('kept', 'fix/'))).toEqual(['fix/00000001', 'fix/00000002'])
    expect(await page.evaluate(() => storagePage.keyIsExtractable('kept'))).toBe(false)
    expect(await page.evaluate(() => storagePage.sameKeyTwice('fresh'))).toBe(true)
    await page.evaluate(() => storagePage.close('kept'))
    expect(await page.evaluate(() => storagePage.open('kept', { sealed: false }))).toBe('open')
    const raw = (await page.evaluate(() => storagePage.keys('kept', ''))) as string[]
    // Three entries and the index, which looks like an entry.
    expect(raw.length).toBe(4)
    for (const name of raw) expect(name).toMatch(/^[0-9a-f]{24}$/)
  })

  it('a second tab cannot open the storage, may wait, and opens it when the first tab crashes', async () => {
    const [first, second] = [await openPage(), await openPage()]
    expect(await first.evaluate(() => storagePage.open('shared'))).toBe('open')
    await first.evaluate(() => storagePage.put('shared', { a: [7] }))
    expect(await second.evaluate(() => storagePage.open('shared'))).toEqual({ code: 'STORE_LOCKED' })
    const given = second.evaluate(() => storagePage.open('shared', { wait: true }))
    await second.evaluate(() => storagePage.stopWaiting())
    expect(await given).toEqual({ code: 'ABORTED' })
    const let_ = second.evaluate(() => storagePage.open('shared', { wait: true }))
    await first.goto('chrome://crash').catch(() => undefined)
    expect(await let_).toBe('open')
    expect(await second.evaluate(() => storagePage.get('shared', 'a'))).toEqual([7])
  })

  it('a write to a full device fails with STORAGE_FULL, and succeeds when there is room again', async () => {
    const page = await openPage()
    const devtools = await context.newCDPSession(page)
    // Set the quota before the first write, because Chromium caches the free space for a while.
    await devtools.send('Storage.overrideQuotaForOrigin', {
      origin: new URL(stage().pages.url).origin,
      quotaSize: 1_000_000,
    })
    await page.evaluate(() => storagePage.open('full'))
    expect(await page.evaluate(() => storagePage.put('full', { a: [1] }))).toBe('put')
    expect(await page.evaluate(() => storagePage.fill('full', 5_000_000))).toEqual({ code: 'STORAGE_FULL' })
    expect(await page.evaluate(() => storagePage.get('full', 'a'))).toEqual([1])
    await devtools.send('Storage.overrideQuotaForOrigin', { origin: new URL(stage().pages.url).origin })
    expect(await page.evaluate(() => storagePage.fill('full', 5_000_000))).toBe('put')
  })

  it('reads, writes and ranges fail with STORAGE_LOST after the browser deleted the storage', async () => {
    const page = await openPage()
    await page.evaluate(() => storagePage.open('gone'))
    await page.evaluate(() => storagePage.put('gone', { a: [1] }))
    const devtools = await context.newCDPSession(page)
    await devtools.send('Storage.clearDataForOrigin', {
      origin: new URL(stage().pages.url).origin,
      storageTypes: 'indexeddb',
    })
    const lost = { code: 'STORAGE_LOST' }
    await expect.poll(() => page.evaluate(() => storagePage.get('gone', 'a'))).toEqual(lost)
    expect(await page.evaluate(() => storagePage.put('gone', { b: [1] }))).toEqual(lost)
    expect(await page.evaluate(() => storagePage.keys('gone', ''))).toEqual(lost)
  })
}
