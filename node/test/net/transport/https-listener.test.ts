/** The HTTPS listener: frames over HTTPS, and WebSocket over TLS, on one port. PROTOCOL.md §6.1, §6.5. */

import { createServer } from 'node:http'
import { Agent, request as ask } from 'node:https'
import { type AddressInfo, connect as connectTcp, type Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { systemClock } from '@geotrace/core-wasm'
import { encodeRefusal, errorToRefusal, FederationError, type Protocol, REQUEST_HEADER } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { LOOPBACK_CERTIFICATE, OTHER_CERTIFICATE } from '../../../../scripts/loopback-certificates.js'
import { ConnectionTable } from '../../../src/net/guard/connection-table.ts'
import { createHost } from '../../../src/net/host.ts'
import { HOST_LIMITS, type HostLimits } from '../../../src/net/limits.ts'
import type { Handler, Host, Requester } from '../../../src/net/protocol.ts'
import { httpsListener } from '../../../src/net/transport/https-listener.ts'
import type { Certificate, CertificateSource } from '../../../src/net/transport/tls-certificate.ts'
import { silent } from '../../../src/platform/log.ts'
import { systemRandom } from '../../../src/platform/random.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
const APP = 'https://app.example.org'
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

interface Listening {
  host: Host
  port: number
  certificate: Certificate
  asked: Requester[]
  renew(next: Certificate): void
}

async function listen(
  limits: Partial<HostLimits> = {},
  handler: Handler = async (request) => request,
): Promise<Listening> {
  let certificate: Certificate = LOOPBACK_CERTIFICATE
  const listeners = new Set<() => void>()
  const source: CertificateSource = {
    current: () => certificate,
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const host = await createHost({
    secret: systemRandom(32),
    listen: ['/ip4/127.0.0.1/tcp/0/tls/ws'],
    clock: systemClock(),
    log: silent,
    certificate: source,
    limits: { newBurst: 1_000, ...limits },
    allowsOrigin: (origin) => origin === APP,
  })
  const asked: Requester[] = []
  await host.serve(ECHO, async (request, from) => {
    asked.push(from)
    return handler(request, from)
  })
  ends.push(async () => {
    await host.stop()
    expect(listeners.size).toBe(0)
  })
  return {
    host,
    port: Number(host.addresses()[0]!.split('/')[4]),
    certificate,
    asked,
    renew(next) {
      certificate = next
      for (const listener of listeners) listener()
    },
  }
}

interface Answer {
  status: number
  headers: Record<string, unknown>
  body: Buffer
}

interface Question {
  path?: string
  method?: string
  headers?: Record<string, string>
  agent?: Agent
  ca?: string
}

function fetchFrom(
  { port, certificate }: Listening,
  body: Uint8Array | undefined,
  question: Question = {},
): Promise<Answer> {
  const { path = ECHO.id, method = 'POST', headers: more = {}, agent, ca = certificate.cert } = question
  const headers = { [REQUEST_HEADER[0]]: REQUEST_HEADER[1], ...more }
  return new Promise((resolve, reject) => {
    const call = ask({ host: '127.0.0.1', port, path, method, headers, ca, agent: agent ?? false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
      )
      response.on('error', reject)
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** A TLS connection that sends any bytes. */
async function rawTls({ port, certificate }: Listening): Promise<{ socket: TLSSocket; closed: Promise<string> }> {
  const socket = connect({ host: '127.0.0.1', port, ca: certificate.cert })
  let text = ''
  socket.on('data', (part) => (text += part))
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(text)))
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return { socket, closed }
}

describe('the HTTPS listener', () => {
  it('the listener answers a frame with a frame, and knows its requester by address alone', async () => {
    const open = await listen()
    const body = systemRandom(512)
    const answer = await fetchFrom(open, body)
    expect(answer.status).toBe(200)
    expect(answer.body.equals(body)).toBe(true)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/octet-stream',
      'content-length': '512',
    })
    for (const name of ['date', 'access-control-allow-origin', 'vary']) expect(answer.headers).not.toHaveProperty(name)
    expect(open.asked).toEqual([
      {
        key: undefined,
        prefix: '4:127.0.0.1',
        fence: '4:127.0.0.1',
        subnet: '4:127.0.0.1',
        ip: Uint8Array.of(127, 0, 0, 1),
      },
    ])
    expect(open.host.stats().protocols[ECHO.id]).toEqual({ answered: 1, refused: {}, bytes: 1_024 })
    expect((await fetchFrom(open, new Uint8Array(0))).body).toHaveLength(0)
  })

  it('a page of an app gets an answer to its preflight request and may read each reply', async () => {
    const open = await listen()
    const headers = { origin: APP }
    const preflight = await fetchFrom(open, undefined, { method: 'OPTIONS', headers })
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': APP,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'geotrace',
      vary: 'Origin',
    })
    const allowed = { 'access-control-allow-origin': APP, vary: 'Origin' }
    const answer = await fetchFrom(open, Uint8Array.of(7), { headers })
    expect(answer).toMatchObject({ status: 200, headers: allowed, body: Buffer.of(7) })
    expect(await fetchFrom(open, new Uint8Array(513), { headers })).toMatchObject({ status: 413, headers: allowed })
    expect(open.asked).toHaveLength(1)
  })

  it('a page of another site, and a request without the header of the protocol, get 403 and reach no handler', async () => {
    const open = await listen()
    const noHeader = { [REQUEST_HEADER[0]]: '' }
    for (const origin of [
      'https://evil.example',
      `${APP}:8443`,
      'http://app.example.org',
      'null',
      '',
      'http://localhost',
    ]) {
      for (const method of ['OPTIONS', 'POST']) {
        for (const path of [ECHO.id, '/no/such/thing']) {
          const refused = await fetchFrom(open, Uint8Array.of(7), { method, path, headers: { origin } })
          expect(refused).toMatchObject({ status: 403, body: Buffer.alloc(0) })
          expect(Object.keys(refused.headers).filter((name) => name.startsWith('access-control'))).toEqual([])
        }
      }
    }
    for (const headers of [noHeader, { ...noHeader, origin: APP }, { [REQUEST_HEADER[0]]: '2' }]) {
      expect(await fetchFrom(open, Uint8Array.of(7), { headers })).toMatchObject({ status: 403 })
    }
    expect(await fetchFrom(open, undefined, { method: 'OPTIONS' })).toMatchObject({ status: 403 })
    expect(open.asked).toEqual([])
  })

  it('a WebSocket of a page of another site is refused, and one of an app or of no page is accepted', async () => {
    const open = await listen()
    const upgrade = (headers: Record<string, string>): Promise<number> =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`wss://127.0.0.1:${open.port}`, { headers, ca: open.certificate.cert })
        ends.push(() => socket.terminate())
        socket.on('open', () => resolve(101))
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode!))
        socket.on('error', reject)
      })
    expect(await upgrade({})).toBe(101)
    expect(await upgrade({ origin: APP })).toBe(101)
    for (const origin of ['https://evil.example', 'null', '']) expect(await upgrade({ origin }), origin).toBe(403)
  })

  it('one connection carries many requests, and a libp2p peer uses WebSocket on the same port', async () => {
    const open = await listen()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    ends.push(() => agent.destroy())
    for (let i = 0; i < 8; i++) {
      expect((await fetchFrom(open, Uint8Array.of(i), { agent })).body).toEqual(Buffer.of(i))
    }
    expect(open.host.stats().connections).toBe(1)
    // A libp2p peer checks the key by Noise. Its WebSocket uses the trust store of the machine, which lacks this certificate.
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    const peer = await createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent })
    try {
      const { key } = open.host
      const reply = await peer.request({ key, addresses: open.host.addresses() }, ECHO, Uint8Array.of(7))
      expect(reply).toEqual(Uint8Array.of(7))
      expect(open.asked.at(-1)!.key).toEqual(peer.key)
    } finally {
      await peer.stop()
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
    }
  })

  it('a refusal is a frame without any detail of an internal error', async () => {
    const spent = new FederationError('QUOTA_SPENT', 'later', { retryAfterMs: 9_000 })
    const refusing = await listen({}, async () => {
      throw spent
    })
    const answer = await fetchFrom(refusing, Uint8Array.of(1))
    expect([answer.status, [...answer.body]]).toEqual([200, [...encodeRefusal(errorToRefusal(spent))]])
    const failing = await listen({}, async () => {
      throw new Error('an internal detail')
    })
    expect([...(await fetchFrom(failing, Uint8Array.of(1))).body]).toEqual([255, 0, 0, 0, 0])
    let release = (): void => {}
    const stuck = await listen(
      { inFlight: 1 },
      () => new Promise((resolve) => (release = () => resolve(Uint8Array.of(3)))),
    )
    const first = fetchFrom(stuck, Uint8Array.of(1))
    await expect.poll(() => stuck.host.stats().inFlight).toBe(1)
    expect([...(await fetchFrom(stuck, Uint8Array.of(1))).body]).toEqual([11, 0, 0, 0, 1])
    release()
    expect([...(await first).body]).toEqual([3])
  })

  it('the listener refuses unknown paths, other methods, large headers and bodies above the size limit', async () => {
    const open = await listen()
    for (const path of ['/', '/test/echo/2', '/test/echo/1?x', '/geotrace/seeds/1', '/../test/echo/1', '*']) {
      expect((await fetchFrom(open, Uint8Array.of(1), { path })).status).toBe(404)
    }
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect((await fetchFrom(open, undefined, { method })).status).toBe(405)
    expect((await fetchFrom(open, new Uint8Array(513))).status).toBe(413)
    const { socket, closed } = await rawTls(open)
    socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHost: x\r\nGeotrace: 1\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = `200\r\n${'x'.repeat(512)}\r\n`
    const timer = setInterval(() => socket.write(chunk), 5)
    ends.push(() => clearInterval(timer))
    expect(await closed).toMatch(/^HTTP\/1\.1 413 /)
    await expect(fetchFrom(open, Uint8Array.of(1), { headers: { 'x-wide': 'x'.repeat(9_000) } })).rejects.toThrow()
    expect(open.asked).toEqual([])
    expect((await fetchFrom(open, Uint8Array.of(1))).status).toBe(200)
  })

  it('the listener closes connections with a slow body, a slow head, an unfinished handshake or plain HTTP', async () => {
    const open = await listen({ readMs: 200, upgradeMs: 200 })
    const slow = await rawTls(open)
    slow.socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHost: x\r\nGeotrace: 1\r\nContent-Length: 10\r\n\r\nabc`)
    expect(await slow.closed).toMatch(/^HTTP\/1\.1 408 /)
    const head = await rawTls(open)
    head.socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHo`)
    expect(await head.closed).toBe('')
    const agent = new Agent({ keepAlive: true })
    ends.push(() => agent.destroy())
    await fetchFrom(open, Uint8Array.of(1), { agent })
    await expect.poll(() => open.host.stats().connections).toBe(0)
    open.asked.length = 0
    for (const words of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x00\x10']) {
      const socket = connectTcp(open.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(words, 'latin1')
      await new Promise((resolve) => socket.on('close', resolve))
    }
    expect(open.asked).toEqual([])
    expect((await fetchFrom(open, Uint8Array.of(1))).status).toBe(200)
  })

  it('the listener bounds connections by address, and serves other clients of an address that floods it', async () => {
    const open = await listen({ perPrefix: 2, pendingPerPrefix: 4, restMs: 60_000, turnMs: 60_000 })
    const agents = Array.from({ length: 3 }, () => new Agent({ keepAlive: true }))
    ends.push(() => agents.map((agent) => agent.destroy()))
    for (const [i, status] of [200, 200, 503].entries()) {
      expect((await fetchFrom(open, Uint8Array.of(1), { agent: agents[i]! })).status).toBe(status)
    }
    agents[0]!.destroy()
    await expect.poll(() => open.host.stats().connections).toBe(1)
    expect((await fetchFrom(open, Uint8Array.of(1))).status).toBe(200)

    const flooded = await listen({ workPerSecond: 1, workBurst: 200 })
    const { socket, closed } = await rawTls(flooded)
    socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHost: x\r\nGeotrace: 1\r\nContent-Length: 1\r\n\r\na`.repeat(20))
    const answers = await closed
    expect((answers.match(/HTTP\/1\.1 200/g) ?? []).length).toBeLessThanOrEqual(4)
    expect(flooded.asked.length).toBeLessThanOrEqual(4)
    expect((await fetchFrom(flooded, Uint8Array.of(1))).status).toBe(200)
  })

  it('the listener serves clients of an address that leaves four TLS handshakes unfinished there', async () => {
    const open = await listen()
    for (let i = 0; i < 8; i++) {
      const socket = connectTcp(open.port, '127.0.0.1')
      ends.push(() => socket.destroy())
      socket.on('error', () => {})
      socket.write(Uint8Array.of(0x16, 3, 1, 1, 0))
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await fetchFrom(open, Uint8Array.of(1))).status).toBe(200)
  })

  it('the listener closes a resting connection of a full address for a new one of that address', async () => {
    const open = await listen({ perPrefix: 2, restMs: 100 })
    const agents = Array.from({ length: 4 }, () => new Agent({ keepAlive: true }))
    ends.push(() => agents.map((agent) => agent.destroy()))
    for (const agent of agents) {
      expect((await fetchFrom(open, Uint8Array.of(1), { agent })).status).toBe(200)
      await new Promise((resolve) => setTimeout(resolve, 150))
    }
    expect(open.host.stats().connections).toBe(2)
  })

  it('the ninth concurrent request of a connection gets BUSY', async () => {
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const open = await listen({}, async (request) => {
      await gate
      return request
    })
    const { socket, closed } = await rawTls(open)
    socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHost: x\r\nGeotrace: 1\r\nContent-Length: 1\r\n\r\na`.repeat(10))
    await expect.poll(() => open.host.stats().protocols[ECHO.id]!.refused).toEqual({ BUSY: 2 })
    expect(open.asked).toHaveLength(8)
    release()
    await expect.poll(() => open.host.stats().protocols[ECHO.id]!.answered).toBe(8)
    socket.end()
    expect((await closed).match(/HTTP\/1\.1 200/g)).toHaveLength(10)
  })

  it('the listener bounds the bytes of incomplete requests, and a full one closes another connection for a new one', async () => {
    const frames: Uint8Array[] = []
    const listening = createServer()
    const sockets = new Set<Socket>()
    listening.on('connection', (socket) => sockets.add(socket))
    const rooms = [false, true]
    const table = new ConnectionTable({ ...HOST_LIMITS, perPrefix: 3 })
    httpsListener({
      limits: HOST_LIMITS,
      table,
      clock: systemClock(),
      now: () => performance.now(),
      protocol: (path) => (path === ECHO.id ? ECHO : undefined),
      answer: async (_protocol, request) => {
        frames.push(request)
        return request
      },
      refuse: () => Uint8Array.of(11, 0, 0, 0, 1),
      isFull: () => false,
      allowsOrigin: () => false,
      onAbuse() {},
      makeRoom(requester) {
        const has = rooms.shift()!
        if (has) table.closed(requester, false)
        return has
      },
      bufferedBytesMax: 600,
    }).attach(listening)
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
    ends.push(() => {
      for (const socket of sockets) socket.destroy()
      listening.close()
    })
    const ask = (length: number, body: string): { socket: Socket; received: () => string } => {
      const socket = connectTcp((listening.address() as AddressInfo).port, '127.0.0.1')
      let text = ''
      socket.on('error', () => {})
      socket.on('data', (part) => (text += part))
      socket.write(`POST ${ECHO.id} HTTP/1.1\r\nHost: x\r\nGeotrace: 1\r\nContent-Length: ${length}\r\n\r\n${body}`)
      return { socket, received: () => text }
    }
    const first = ask(512, 'a'.repeat(400))
    await expect.poll(() => table.open).toBe(1)
    const second = ask(300, 'b'.repeat(300))
    await expect.poll(second.received).toMatch(/^HTTP\/1\.1 503 /)
    first.socket.write('a'.repeat(112))
    await expect.poll(first.received).toMatch(/^HTTP\/1\.1 200 /)
    const third = ask(300, 'c'.repeat(300))
    await expect.poll(third.received).toMatch(/^HTTP\/1\.1 200 /)
    expect(frames.map(({ length }) => length)).toEqual([512, 300])
    // The second connection is closed. After two more connections the prefix is full.
    const fourth = ask(1, 'd')
    await expect.poll(fourth.received).toMatch(/^HTTP\/1\.1 200 /)
    const fifth = ask(1, 'e')
    await expect.poll(fifth.received).toMatch(/^HTTP\/1\.1 503 /)
    const sixth = ask(1, 'f')
    await expect.poll(sixth.received).toMatch(/^HTTP\/1\.1 200 /)
    expect(rooms).toEqual([])
  })

  it('new connections get the renewed TLS certificate, and open connections continue', async () => {
    const open = await listen()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    ends.push(() => agent.destroy())
    await fetchFrom(open, Uint8Array.of(1), { agent })
    open.renew(OTHER_CERTIFICATE)
    expect((await fetchFrom(open, Uint8Array.of(2), { agent })).body).toEqual(Buffer.of(2))
    await expect(fetchFrom(open, Uint8Array.of(3))).rejects.toThrow()
    expect((await fetchFrom(open, Uint8Array.of(4), { ca: OTHER_CERTIFICATE.cert })).body).toEqual(Buffer.of(4))
  })
})
