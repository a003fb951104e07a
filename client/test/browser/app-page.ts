/** Hands and eyes on the web app for its tests: a context with a mocked position, a clock that can be ahead, and its faults. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'

export const MINUTE = 60_000
export const CAFE = { latitude: 52.52, longitude: 13.405, accuracy: 5 }
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface AppContext {
  context: BrowserContext
  /** Everything the pages complained of: errors, refusals of the policy. */
  faults: string[]
  open(hash?: string): Promise<Page>
}

/** Minutes ahead of UTC where it is noon: from 22:00 on deposits wait for the morning, as they should. */
export function noonOffsetMin(nowMs: number): number {
  return 12 * 60 - (Math.floor(nowMs / MINUTE) % (24 * 60))
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
    reducedMotion: 'reduce',
    ...options,
  })
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
        // A WebSocket or a fetch without a network is told to the user, not a fault.
        if (message.type() === 'error' && !/ERR_INTERNET_DISCONNECTED|WebSocket connection/.test(text))
          faults.push(text)
      })
      await page.goto(`${url}${hash}`)
      return page
    },
  }
}

/** The page's clock jumps, as a phone's that slept. */
export async function goAhead(page: Page, ms: number): Promise<void> {
  await page.evaluate((ahead) => localStorage.setItem('test-ahead-ms', String(ahead)), ms)
}

/** Rules that axe finds broken, with where. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource)
  return page.evaluate(async () => {
    type Result = { violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }
    type Axe = { run(options: { resultTypes: string[] }): Promise<Result> }
    // What passes is checked, and not described.
    const { violations } = await (globalThis as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] })
    // One example of each is enough to mend it.
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]!.html.slice(0, 160)} ${nodes[0]!.failureSummary}`)
  })
}

/** Pixels that the page is wider than its window. */
export function overflowPx(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
}

/** Presses Tab until the focus is on something with this text or label. */
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
