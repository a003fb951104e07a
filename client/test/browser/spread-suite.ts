/** Where reporters have been, on the map of the web app, over a federation in memory (spread-page.tsx). */
import type { Page } from 'playwright-core'
import { expect, it } from 'vitest'
import { PAGE_WAIT_MS } from './chromium.ts'
import { accessibilityFaults, overflowPx } from './page-checks.ts'
import type { Stage } from './stage.ts'

export function spreadSuite(stage: () => Stage): void {
  async function open(counts: string, width = 1280): Promise<{ page: Page; faults: string[] }> {
    const context = await stage().browser.newContext({ viewport: { width, height: 800 }, locale: 'en' })
    context.setDefaultTimeout(PAGE_WAIT_MS)
    const page = await context.newPage()
    const faults: string[] = []
    page.on('pageerror', (error) => faults.push(String(error)))
    page.on('console', (message) => void (message.type() === 'error' && faults.push(message.text())))
    await page.goto(`${stage().pages.url}spread.html?counts=${counts}#/map`)
    await page.getByLabel('Spread', { exact: true }).check()
    return { page, faults }
  }

  it('the map shows verified counts with legend, ±, age and how they were counted, and nothing before somebody asks', async () => {
    const { page, faults } = await open('all', 360)
    const card = page.getByRole('complementary', { name: 'Where reporters have been' })
    await card.getByText(/people in \d+ cells of 5.2 km²/).waitFor()
    await card.getByText('People in a cell, ±1.9').waitFor()
    await card.getByText(/^Also shown, paler: November 23/).waitFor()
    await card.getByText(/^November 24: no counts. Fewer than 20 took part/).waitFor()
    const before = await violet(page)
    await card.getByRole('button', { name: 'Show these places' }).click()
    await expect.poll(() => violet(page), { timeout: PAGE_WAIT_MS }).toBeGreaterThan(before + 100)
    await card.getByText('How this was counted').click()
    await card.getByText(/This device checked the signature/).waitFor()
    await card.getByText('As a table').click()
    await card
      .getByRole('cell', { name: /^\d+ ±1.9$/ })
      .first()
      .waitFor()
    expect(await accessibilityFaults(page)).toEqual([])
    expect(await overflowPx(page)).toBe(0)
    await card.getByRole('button', { name: 'Close' }).click()
    await card.waitFor({ state: 'detached' })
    await expect.poll(() => violet(page), { timeout: PAGE_WAIT_MS }).toBe(0)
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('the card says why the map shows nothing: too few, none yet, no spread, or counts that nobody signed', async () => {
    for (const [counts, text] of [
      ['few', 'No cell is coloured: each has no more than 8 people.'],
      ['none', 'no counts. Fewer than 20 took part, or the count is not finished.'],
      ['off', 'This federation does not count places.'],
      ['forged', 'The counts that a member gave were refused'],
    ] as const) {
      const { page, faults } = await open(counts)
      await page.locator('.spread-card').getByText(text).first().waitFor()
      expect(await violet(page)).toBe(0)
      expect(faults).toEqual([])
      await page.context().close()
    }
  })
}

/** Pixels of the map that are violet: much more blue than green, and more red than green. */
function violet(page: Page): Promise<number> {
  return page.getByLabel('Map of your positions').evaluate((element: HTMLCanvasElement) => {
    const { data } = element.getContext('2d')!.getImageData(0, 0, element.width, element.height)
    let count = 0
    for (let i = 0; i < data.length; i += 4) {
      const [red, green, blue] = [data[i]!, data[i + 1]!, data[i + 2]!]
      if (blue > green + 40 && red > green + 10) count++
    }
    return count
  })
}
