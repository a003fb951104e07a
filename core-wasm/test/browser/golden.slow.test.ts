import { expect, it } from 'vitest'
import { GOLDEN } from '../../scripts/golden-digest.js'
import { openCoreSite } from './core-site.ts'
import { describeInBrowsers } from './in-browsers.ts'

const FIXES = 1_000_000
const PAGES = ['main', 'worker'].flatMap((thread) =>
  ['simd', 'scalar'].flatMap((build) =>
    ['inline', 'url'].map(
      (source) => `/golden.html?${new URLSearchParams({ thread, build, source, fixes: String(FIXES) })}`,
    ),
  ),
)

describeInBrowsers('the golden digest of a million fixes, under a strict policy,', (browser, program) => {
  it('the golden digest is the recorded one in both builds, on both threads, inlined and by URL', async () => {
    const site = await openCoreSite()
    try {
      const reports = await site.visit(browser, program, PAGES, 600_000)
      expect(reports).toEqual(PAGES.map(() => ({ text: GOLDEN[FIXES], refused: [] })))
    } finally {
      site.close()
    }
  }, 4_800_000)
})
