import { afterAll, beforeAll, expect, it } from 'vitest'
import { GOLDEN } from '../../scripts/golden-digest.js'
import { openCoreSite } from './core-site.ts'
import { describeInBrowsers } from './in-browsers.ts'
import type { Report, Site } from './site.ts'

const FIXES = 100_000
/** Every pair of a thread, a build and a source. */
const CASES = [
  { thread: 'main', build: 'simd', source: 'inline' },
  { thread: 'main', build: 'scalar', source: 'url' },
  { thread: 'worker', build: 'simd', source: 'url' },
  { thread: 'worker', build: 'scalar', source: 'inline' },
]

describeInBrowsers('the golden digest, under a strict policy,', (browser, program) => {
  let site: Site
  let reports: Report[]
  beforeAll(async () => {
    site = await openCoreSite()
    const pages = CASES.map((each) => `/golden.html?${new URLSearchParams({ ...each, fixes: String(FIXES) })}`)
    reports = await site.visit(browser, program, pages, 120_000)
  }, 480_000)
  afterAll(() => site.close())

  it.each(CASES)('the golden digest is the recorded one: $build build, $source, $thread thread', (each) => {
    expect(reports[CASES.indexOf(each)]).toEqual({ text: GOLDEN[FIXES], refused: [] })
  })
})
