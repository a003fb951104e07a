import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Protocol } from '@geotrace/core-wasm/wire'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { LOOPBACK_CERTIFICATE } from '../../../scripts/loopback-certificates.js'
import type { Session } from '../../src/dialers/dialer.ts'
import { type HttpsDialerOptions, httpsDialer } from '../../src/index.ts'
import { httpsFetch } from './https-fetch.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 1_000, replyMaxBytes: 1_000 }
const SMALL: Protocol = { ...ECHO, replyMaxBytes: 10 }
const SILENT: Protocol = { ...ECHO, id: '/test/silent/1' }
const REFUSED: Protocol = { ...ECHO, id: '/test/other/1' }
const key = new Uint8Array(32).fill(5)

const trusting = httpsFetch(LOOPBACK_CERTIFICATE.cert)
let server: Server
let port: number
let seen: string[] = []

beforeAll(async () => {
  server = createServer(LOOPBACK_CERTIFICATE, (request, response) => {
    seen.push(`${request.method} ${request.url}`)
    if (request.url === SILENT.id) return
    if (request.url !== ECHO.id) response.statusCode = 404
    request.pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterEach(() => {
  seen = []
})
afterAll(() => {
  trusting.close()
  server.closeAllConnections()
  server.close()
})

const open = (options: HttpsDialerOptions = {}): Promise<Session> =>
  httpsDialer({ fetch: trusting.fetch, ...options }).open()
const peer = (...addresses: string[]) => ({ key, addresses })
const here = () => `/ip4/127.0.0.1/tcp/${port}/tls/http`

describe('the HTTPS dialer', () => {
  it('a frame goes to the path of its protocol, at the first HTTPS address that answers', async () => {
    const session = await open()
    const frame = Uint8Array.from({ length: 1_000 }, (_, i) => i)
    const elsewhere = ['/ip4/127.0.0.1/tcp/1', '/ip4/127.0.0.1/tcp/1/tls/ws', '/ip4/127.0.0.1/tcp/1/tls/http']
    expect(await session.request(peer(...elsewhere, here()), ECHO, frame)).toEqual(frame)
    expect(await session.request(peer(`/ip4/127.0.0.1/tcp/${port}/https`), ECHO, frame)).toEqual(frame)
    expect(await session.request(peer(here()), ECHO, new Uint8Array(0))).toHaveLength(0)
    expect(seen).toEqual(Array.from({ length: 3 }, () => `POST ${ECHO.id}`))
    await session.close()
  })

  it('a request sends one header and no cookies, cache, referrer or redirects, and reaches every kind of address', async () => {
    const asked: { url: string; init: RequestInit }[] = []
    const spy: typeof fetch = async (url, init = {}) => {
      asked.push({ url: String(url), init })
      return new Response(Uint8Array.of(1))
    }
    const session = await open({ fetch: spy })
    for (const host of ['dns4/salt.example.org', 'dns/salt.example.org', 'ip6/2001:db8::1']) {
      await session.request(peer(`/${host}/tcp/443/tls/http`), ECHO, Uint8Array.of(1))
    }
    expect(asked.map(({ url }) => url)).toEqual([
      'https://salt.example.org:443/test/echo/1',
      'https://salt.example.org:443/test/echo/1',
      'https://[2001:db8::1]:443/test/echo/1',
    ])
    const careful = { cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' }
    for (const { init } of asked) {
      expect(init).toMatchObject(careful)
      expect(init.headers).toEqual([['geotrace', '1']])
    }
  })

  it('each failure has its code: no HTTPS address, unreachable, refused, untrusted, silent, too large, aborted', async () => {
    const session = await open({ timeoutMs: 300 })
    const code = async (promise: Promise<unknown>) => promise.catch((error) => `${error.code} ${error.data?.tried}`)
    const one = Uint8Array.of(1)
    expect(await code(session.request(peer('/ip4/127.0.0.1/tcp/1/ws'), ECHO, one))).toBe('PEER_UNREACHABLE 0')
    expect(await code(session.request(peer('/ip4/127.0.0.1/tcp/1/http'), ECHO, one))).toBe('PEER_UNREACHABLE 0')
    expect(await code(session.request(peer('/ip4/127.0.0.1/tcp/1/tls/http'), ECHO, one))).toBe('PEER_UNREACHABLE 1')
    expect(await code(session.request(peer(here()), REFUSED, one))).toBe('PEER_UNREACHABLE 1')
    const wary = await open({ fetch: globalThis.fetch })
    expect(await code(wary.request(peer(here()), ECHO, one))).toBe('PEER_UNREACHABLE 1')
    expect(await code(session.request(peer(here()), SILENT, one))).toBe('PEER_TIMEOUT undefined')
    expect(await code(session.request(peer(here()), SMALL, new Uint8Array(11)))).toBe('MESSAGE_TOO_LARGE undefined')
    await expect(session.request(peer(here()), ECHO, new Uint8Array(1_001))).rejects.toThrow(RangeError)
    const controller = new AbortController()
    const waiting = code(session.request(peer(here()), SILENT, one, { signal: controller.signal }))
    controller.abort()
    expect(await waiting).toBe('ABORTED undefined')
  })
})
