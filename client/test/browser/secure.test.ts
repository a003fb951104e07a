/**
 * Peers with a TLS certificate, as an https page needs them. The SDK lives its whole life in Chromium by `fetch` without
 * libp2p, and over secure WebSockets alone. A page of another site gets nothing. The browser context trusts the certificate.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EVALUATE_PROTOCOL, REQUEST_HEADER } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '@geotrace/node/testing'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Site } from '../../../core-wasm/test/browser/site.ts'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'
import { inChromium, launchChromium, PAGE_WAIT_MS } from './chromium.ts'
import { LIFE } from './life.ts'
import { openReportingSite } from './pages.ts'

/** Chromium finds both sites on this machine. */
const [APP, OTHER] = ['app.example', 'other.example']
/** A page for each dialer, and the only peers that its policy allows. */
const PAGES = { https: ['life-page.ts'], libp2p: ['life-page.ts'] }
const peersOf = (path: string) => `'self' ${path === '/https.html' ? 'https:' : 'wss:'}`
const sites = createServer(LOOPBACK_CERTIFICATE, (_request, response) => {
  response.setHeader('Content-Type', 'text/html').end('<!doctype html><html lang="en"><title>page</title>')
})

inChromium('peers with a TLS certificate, in Chromium', () => {
  let dir: string
  let federation: LocalFederation
  let browser: Browser
  let site: Site
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-secure-'))
    sites.listen(0, '127.0.0.1')
    await once(sites, 'listening')
    const parameters = { apps: [toOrigin(APP)] }
    ;[federation, browser] = await Promise.all([
      startFederation({ dir: join(dir, 'federation'), certificate: LOOPBACK_CERTIFICATE, parameters }),
      launchChromium([`--host-resolver-rules=MAP ${APP} 127.0.0.1, MAP ${OTHER} 127.0.0.1`]),
    ])
    site = await openReportingSite(PAGES, { '/federation.json': federation.manifest }, peersOf)
  }, 120_000)
  afterAll(async () => {
    sites.close()
    site?.close()
    await Promise.all([browser?.close(), federation?.stop()])
    await rm(dir, { recursive: true, force: true })
  })

  async function live(dialer: string): Promise<{ text: string; protocols: string[] }> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(PAGE_WAIT_MS)
    const page = await context.newPage()
    const used = new Set<string>()
    page.on('request', (request) => used.add(new URL(request.url()).protocol))
    page.on('websocket', (socket) => used.add(new URL(socket.url()).protocol))
    const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
    await page.goto(`${site.origin}/${dialer}.html?${new URLSearchParams({ name: 'life', dialer, code: code! })}`)
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
      const { text, protocols } = await live(dialer)
      expect(JSON.parse(text)).toEqual(LIFE)
      expect(protocols).toEqual(['http:', peers])
    },
    120_000,
  )

  it('a page of an app in the manifest reaches the peers, and a page of another site gets no answer', async () => {
    const [node] = federation.saltNodes
    const address = federation.manifest.members[0]!.addresses.find((item) => item.endsWith('/tls/http'))!
    const [, , host, , port] = address.split('/')
    const requests = () => Object.values(node!.status().refused).reduce((sum, count) => sum + count, 0)
    const before = requests()
    const nothing = { plain: 'failed', asked: 'failed', opaque: 'opaque 0', socket: 'failed' }
    expect(await reach(OTHER, `${host}:${port}`)).toEqual(nothing)
    expect(requests()).toBe(before)
    expect(await reach(APP, `${host}:${port}`)).toEqual({ ...nothing, plain: '403', asked: '200', socket: 'open' })
    expect(requests()).toBe(before + 1)
  })

  /** Sends requests from a page: without the header, with it, without reading the answer, and by WebSocket. */
  async function reach(site: string, peer: string): Promise<Record<string, string>> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    context.setDefaultTimeout(PAGE_WAIT_MS)
    const page = await context.newPage()
    await page.goto(toOrigin(site))
    const found = await page.evaluate(
      async ({ peer, path, header }) => {
        const send = (init: RequestInit): Promise<string> =>
          fetch(`https://${peer}${path}`, { method: 'POST', body: Uint8Array.of(1), ...init }).then(
            ({ type, status }) => (type === 'opaque' ? `opaque ${status}` : `${status}`),
            () => 'failed',
          )
        const socket = new WebSocket(`wss://${peer}`)
        const opened = new Promise<string>((resolve) => {
          socket.onopen = () => resolve('open')
          socket.onerror = () => resolve('failed')
        })
        return {
          plain: await send({}),
          asked: await send({ headers: [[...header]] }),
          opaque: await send({ mode: 'no-cors', headers: [[...header]] }),
          socket: await opened,
        }
      },
      { peer, path: EVALUATE_PROTOCOL.id, header: REQUEST_HEADER },
    )
    await context.close()
    return found
  }
})

function toOrigin(site: string): string {
  return `https://${site}:${(sites.address() as AddressInfo).port}`
}
