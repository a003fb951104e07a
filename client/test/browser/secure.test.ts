/**
 * Peers with a TLS certificate, as an https page needs them. The SDK lives its whole life in Chromium by `fetch` without
 * libp2p, and over secure WebSockets alone. The browser context trusts the certificate.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Site } from '../../../core-wasm/test/browser/site.ts'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'
import { inChromium, launchChromium } from './chromium.ts'
import { LIFE } from './life.ts'
import { openReportingSite } from './pages.ts'

inChromium('peers with a TLS certificate, in Chromium', () => {
  let dir: string
  let federation: LocalFederation
  let browser: Browser
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-secure-'))
    ;[federation, browser] = await Promise.all([
      startFederation({ dir: join(dir, 'federation'), certificate: LOOPBACK_CERTIFICATE }),
      launchChromium(),
    ])
  }, 120_000)
  afterAll(async () => {
    await Promise.all([browser?.close(), federation?.stop()])
    await rm(dir, { recursive: true, force: true })
  })

  async function live(site: Site, dialer: string): Promise<{ text: string; protocols: string[] }> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    const used = new Set<string>()
    page.on('request', (request) => used.add(new URL(request.url()).protocol))
    page.on('websocket', (socket) => used.add(new URL(socket.url()).protocol))
    const [code] = await federation.central.issueCodes({ count: 1, days: 1 })
    await page.goto(`${site.origin}/life.html?${new URLSearchParams({ name: 'life', dialer, code: code! })}`)
    const output = page.locator('output')
    await output.filter({ hasText: 'recorded' }).waitFor({ timeout: 60_000 })
    const text = (await output.textContent())!
    await context.close()
    return { text, protocols: [...used].sort() }
  }

  it.each([
    { dialer: 'https', peers: 'https:' },
    { dialer: 'libp2p', peers: 'wss:' },
  ])(
    'a page whose policy allows $peers alone completes the life of the SDK over this protocol',
    async ({ dialer, peers }) => {
      const site = await openReportingSite(
        { life: ['life-page.ts'] },
        { '/federation.json': federation.manifest },
        `'self' ${peers}`,
      )
      try {
        const { text, protocols } = await live(site, dialer)
        expect(JSON.parse(text)).toEqual(LIFE)
        expect(protocols).toEqual(['http:', peers])
      } finally {
        site.close()
      }
    },
    120_000,
  )
})
