/** The quickstart and the whole life of the SDK in Debian's Firefox, against a real federation on loopback. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BROWSERS, programOf } from '../../../core-wasm/test/browser/browsers.ts'
import type { Report, Site } from '../../../core-wasm/test/browser/site.ts'
import { LIFE } from './life.ts'
import { openReportingSite } from './pages.ts'

const firefox = BROWSERS.find(({ name }) => name === 'Firefox')!
const program = programOf(firefox)
const missing = `no Firefox: apt-get install ${firefox.debianPackage}`
if (program === undefined && process.env.CI) throw new Error(missing)

describe.skipIf(program === undefined)(program ? 'in Firefox' : `in Firefox (SKIPPED: ${missing})`, () => {
  let dir: string
  let federation: LocalFederation
  let site: Site
  let reports: Report[]
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-firefox-'))
    federation = await startFederation({ dir })
    const pages = { quickstart: ['../../examples/quickstart.ts', 'shown-page.ts'], life: ['life-page.ts'] }
    site = await openReportingSite(pages, { '/federation.json': federation.manifest })
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    const life = `/life.html?${new URLSearchParams({ name: 'life', dialer: 'libp2p', code: code! })}`
    reports = await site.visit(firefox, program!, ['/quickstart.html', life], 120_000)
  }, 300_000)
  afterAll(async () => {
    site?.close()
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('the quickstart of the README syncs and receives a position in Firefox', () => {
    expect(reports[0]).toEqual({
      text: expect.stringContaining('0 hashes deposited, 0 fixes held, 0 fixes lost'),
      refused: [],
    })
    expect(reports[0]!.text).toContain('not kept: too inaccurate')
  })

  it('in Firefox two people record, sync, meet and report, and their sealed storages have one owner at a time', () => {
    const { text, refused } = reports[1]!
    expect({ ...JSON.parse(text ?? 'null'), refused }).toEqual({ ...LIFE, refused: [] })
  })
})
