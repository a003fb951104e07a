import { afterAll, beforeAll, expect, it } from 'vitest'
import { CORE_SHA256, loadCore } from '../../src/index.ts'
import { openCoreSite } from './core-site.ts'
import { describeInBrowsers } from './in-browsers.ts'
import type { Report, Site } from './site.ts'

const PAGES = ['/main-thread.html', '/worker-page.html', '/by-url.html', '/without-wasm/main-thread.html']

describeInBrowsers('the examples', (browser, program) => {
  let site: Site
  let reports: Report[]
  beforeAll(async () => {
    site = await openCoreSite()
    reports = await site.visit(browser, program, PAGES, 60_000)
  }, 240_000)
  afterAll(() => site.close())

  it('the core’s example finds the cells of a position on a page’s main thread', async () => {
    const core = await loadCore()
    const cells = core.fixToCells(51.5007, -0.1246)
    const text = `${cells.map((cell) => cell.toString(16)).join(' ')} in ${cells.map(core.cellToRegion)}`
    expect(reports[0]).toEqual({ text, refused: [] })
  })

  it("the core's example computes risk hashes in a Web Worker", () => {
    expect(reports[1]).toEqual({
      text: expect.stringMatching(/^\d{2} risk points, \d{3} bytes of hashes$/),
      refused: [],
    })
  })

  it('the core’s example loads the module from a URL and checks its pin', () => {
    expect(reports[2]).toEqual({ text: `simd ${CORE_SHA256.simd}`, refused: [] })
  })

  it('the core throws CORE_UNSUPPORTED in a page whose policy allows no WebAssembly', () => {
    expect(reports[3]).toMatchObject({ error: 'CORE_UNSUPPORTED' })
  })
})
