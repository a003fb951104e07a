import { connect, createServer, type Socket } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { systemClock } from '@geotrace/core-wasm'
import {
  decodeSeedsReply,
  FederationError,
  isFederationError,
  type PeerAddress,
  type Protocol,
} from '@geotrace/core-wasm/wire'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { afterEach, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { withDeadline } from '../../src/net/deadline.ts'
import { createHost } from '../../src/net/host.ts'
import type { HostLimits } from '../../src/net/limits.ts'
import type { Handler, Host } from '../../src/net/protocol.ts'
import { frames, lengthToBytes } from '../../src/net/transport/frame.ts'
import { type Log, silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
const BIG: Protocol = { id: '/test/big/1', requestMaxBytes: 16, replyMaxBytes: 2_000_000 }
const echo: Handler = async (request) => Uint8Array.from([...request, 1])
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function host(
  listen: string[] = ['/ip4/127.0.0.1/tcp/0'],
  limits: Partial<HostLimits> = {},
  more: { log?: Log; localAddress?: string } = {},
) {
  const made = await createHost({
    secret: systemRandom(32),
    listen,
    clock: systemClock(),
    log: silent,
    limits,
    ...more,
  })
  ends.push(() => made.stop())
  return made
}
const toPeer = (server: Host): PeerAddress => ({ key: server.key, addresses: server.addresses() })
/** A stock libp2p node, which keeps no rules of ours. */
async function raw(): Promise<Libp2p> {
  const node = await createLibp2p({
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionMonitor: { enabled: false },
  })
  ends.push(() => node.stop())
  return node
}
async function socketTo(address: string): Promise<Socket> {
  const [, , ip, , port] = address.split('/')
  const socket = connect(Number(port), ip)
  socket.on('error', () => {})
  ends.push(() => socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}
const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))
async function code(task: Promise<unknown>): Promise<string> {
  return await task.then(
    () => 'OK',
    (error: unknown) => (isFederationError(error) ? error.code : String(error)),
  )
}
const statusOf = (bytes: Uint8Array): number => bytes[0]!

describe('a host', () => {
  it('a host knows whether it received bytes from a peer lately, and from an unlinked peer never', async () => {
    const [server, client] = [await host(), await host([])]
    await server.serve(ECHO, echo)
    expect(client.hasReceivedFrom!(server.key, 60_000)).toBe(false)
    await client.request(toPeer(server), ECHO, Uint8Array.of(1))
    expect(client.hasReceivedFrom!(server.key, 60_000)).toBe(true)
    expect(server.hasReceivedFrom!(client.key, 60_000)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(client.hasReceivedFrom!(server.key, 20)).toBe(false)
  })

  for (const suffix of ['', '/ws']) {
    it(`a host answers forty concurrent requests over /tcp${suffix}, one on each stream`, async () => {
      const server = await host([`/ip4/127.0.0.1/tcp/0${suffix}`])
      const client = await host([])
      await server.serve(ECHO, async (request, from) => {
        const place = {
          prefix: '4:127.0.0.1',
          fence: '4:127.0.0.1',
          subnet: '4:127.0.0.1',
          ip: Uint8Array.of(127, 0, 0, 1),
        }
        expect(from).toEqual({ key: client.key, ...place })
        return await echo(request, from)
      })
      expect(server.addresses()).toHaveLength(1)
      const replies = await Promise.all(
        Array.from({ length: 40 }, (_, i) => client.request(toPeer(server), ECHO, Uint8Array.of(i))),
      )
      expect(replies).toEqual(Array.from({ length: 40 }, (_, i) => Uint8Array.of(i, 1)))
    })
  }

  it('a client refuses a host whose key is not the expected one', async () => {
    const [server, other, client] = [await host(), await host(), await host([])]
    await server.serve(ECHO, echo)
    expect(await code(client.request({ key: other.key, addresses: server.addresses() }, ECHO, Uint8Array.of(1)))).toBe(
      'PEER_UNREACHABLE',
    )
    expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
  })

  it('a client reaches a peer that was restarted on the same address', async () => {
    const secret = systemRandom(32)
    const init = { secret, clock: systemClock(), log: silent }
    const first = await createHost({ ...init, listen: ['/ip4/127.0.0.1/tcp/0'] })
    await first.serve(ECHO, echo)
    const peer = toPeer(first)
    const client = await host([])
    expect(await code(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('OK')
    await first.stop()
    expect(await code(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('PEER_UNREACHABLE')
    const second = await createHost({ ...init, listen: [...peer.addresses] })
    ends.push(() => second.stop())
    await second.serve(ECHO, echo)
    expect(await client.request(peer, ECHO, Uint8Array.of(2))).toEqual(Uint8Array.of(2, 1))
  })

  it('a host dials from its local address', async () => {
    const server = await host()
    const client = await host([], {}, { localAddress: '127.0.0.9' })
    await server.serve(ECHO, async (_, { prefix }) => new TextEncoder().encode(prefix))
    expect(new TextDecoder().decode(await client.request(toPeer(server), ECHO, new Uint8Array(0)))).toBe('4:127.0.0.9')
  })

  it('a request ends with ABORTED when its signal fires', async () => {
    const server = await host()
    await server.serve(ECHO, () => new Promise(() => {}))
    const client = await host([])
    const controller = new AbortController()
    const asked = code(client.request(toPeer(server), ECHO, Uint8Array.of(1), { signal: controller.signal }))
    controller.abort()
    expect(await asked).toBe('ABORTED')
    expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1), { signal: AbortSignal.abort() }))).toBe(
      'ABORTED',
    )
  })
})

describe('an answer', () => {
  it('the answer to a failed request is a status without any detail of an internal error', async () => {
    const events: unknown[] = []
    const log: Log = { ...silent, error: (event, fields) => events.push([event, fields]) }
    const server = await host(undefined, {}, { log })
    await server.serve(ECHO, async ([what]) => {
      if (what === 1) throw new FederationError('EPOCH_LOST', 'gone', { epoch: 77 })
      throw new Error('secret detail')
    })
    const client = await host([])
    const lost = await client.request(toPeer(server), ECHO, Uint8Array.of(1))
    expect(() => decodeSeedsReply(lost)).toThrow(/epoch 77/)
    expect(await client.request(toPeer(server), ECHO, Uint8Array.of(2))).toEqual(Uint8Array.of(255, 0, 0, 0, 0))
    expect(events).toEqual([['net.handler-failed', { protocol: ECHO.id, code: 'Error' }]])
  })

  it('a request gets BUSY while the host answers its maximum of requests', async () => {
    const server = await host(undefined, { inFlight: 1 })
    let release = (): void => {}
    let entered = (): void => {}
    const inside = new Promise<void>((resolve) => {
      entered = resolve
    })
    await server.serve(ECHO, async (request) => {
      entered()
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return request
    })
    const [one, two] = [await host([]), await host([])]
    const first = one.request(toPeer(server), ECHO, Uint8Array.of(9))
    await inside
    expect(await two.request(toPeer(server), ECHO, Uint8Array.of(9))).toEqual(Uint8Array.of(11, 0, 0, 0, 1))
    release()
    expect(await first).toEqual(Uint8Array.of(9))
  })

  it('a request gets BUSY when its handler exceeds the deadline', async () => {
    const server = await host(undefined, { handleMs: 50 })
    await server.serve(ECHO, () => new Promise(() => {}))
    const client = await host([])
    expect(statusOf(await client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe(11)
  })

  it('a client does not read an answer above the size limit of the protocol', async () => {
    const server = await host()
    await server.serve({ ...BIG, id: ECHO.id }, async () => new Uint8Array(1_025))
    const client = await host([])
    expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('MESSAGE_TOO_LARGE')
  })

  it('a request without an answer ends with PEER_TIMEOUT, and the next one dials anew', async () => {
    const server = await host()
    await server.serve(ECHO, echo)
    const [, , , , port] = server.addresses()[0]!.split('/')
    const pairs: Socket[] = []
    // After the cut the open connections stay silent, and neither end learns of it.
    const between = createServer((socket) => {
      const onward = connect(Number(port), '127.0.0.1')
      for (const [from, to] of [
        [socket, onward],
        [onward, socket],
      ] as const) {
        from.on('error', () => {})
        from.pipe(to)
        pairs.push(from)
      }
    })
    await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve))
    ends.push(() => {
      for (const socket of pairs) socket.destroy()
      between.close()
    })
    const client = await host([], { replyMs: 300 })
    const peer = { key: server.key, addresses: [`/ip4/127.0.0.1/tcp/${(between.address() as { port: number }).port}`] }
    expect(await code(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('OK')
    for (const socket of pairs) socket.unpipe()
    expect(await code(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('PEER_TIMEOUT')
    expect(await code(client.request(peer, ECHO, Uint8Array.of(1)))).toBe('OK')
  })
})

describe('an invalid request', () => {
  const MALFORMED = 1
  async function send(bytes: Uint8Array, end: boolean, limits: Partial<HostLimits> = {}): Promise<Uint8Array> {
    const server = await host(undefined, limits)
    await server.serve(ECHO, echo)
    const node = await raw()
    const connection = await node.dial(multiaddr(`${server.addresses()[0]}`))
    const stream = await connection.newStream(ECHO.id)
    stream.send(bytes)
    if (end) await stream.close()
    return await frames(stream, 1_024).read(1_024, AbortSignal.timeout(30_000))
  }

  it('a request that is cut off at any byte is refused', async () => {
    const whole = Uint8Array.of(3, 7, 8, 9)
    expect(await send(whole, true)).toEqual(Uint8Array.of(7, 8, 9, 1))
    for (const cut of [0, 1, 3]) expect(statusOf(await send(whole.slice(0, cut), true))).toBe(MALFORMED)
  })

  it('a request above the size limit is refused from its length, before its content arrives', async () => {
    expect(statusOf(await send(lengthToBytes(513), false))).toBe(MALFORMED)
    expect(statusOf(await send(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x7f), false))).toBe(MALFORMED)
    const most = Uint8Array.from([...lengthToBytes(512), ...new Uint8Array(512)])
    expect(await send(most, false)).toHaveLength(513)
  })

  it('a request with trailing bytes or with a length that is not minimal is refused', async () => {
    expect(statusOf(await send(Uint8Array.of(1, 7, 8), true))).toBe(MALFORMED)
    expect(statusOf(await send(Uint8Array.of(0x81, 0x00, 7), true))).toBe(MALFORMED)
    expect(await send(Uint8Array.of(0), true)).toEqual(Uint8Array.of(1))
  })

  it('a request that does not arrive in time gets its stream reset and keeps its connection', async () => {
    const server = await host(undefined, { readMs: 150 })
    await server.serve(ECHO, echo)
    const node = await raw()
    const connection = await node.dial(multiaddr(server.addresses()[0]!))
    for (const drip of [false, true]) {
      const stream = await connection.newStream(ECHO.id)
      const gone = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
      const dripping = setInterval(() => drip && stream.status === 'open' && stream.send(Uint8Array.of(7)), 40)
      stream.send(lengthToBytes(200))
      await gone
      clearInterval(dripping)
      expect(stream.status).toBe('reset')
    }
    // A slow request does not close its connection.
    expect(connection.status).toBe('open')
  })

  it('a client that never reads its answer gets its stream reset', async () => {
    // The conforming client below must get 700 KB within this time, on a busy machine too.
    const server = await host(undefined, { writeMs: 1_000 })
    await server.serve(BIG, async () => new Uint8Array(700_000))
    const node = await raw()
    const connection = await node.dial(multiaddr(server.addresses()[0]!))
    const stream = await connection.newStream(BIG.id)
    stream.pause()
    const gone = new Promise((resolve) => stream.addEventListener('close', resolve, { once: true }))
    stream.send(Uint8Array.of(0))
    await gone
    expect(stream.status).toBe('reset')
    const reader = frames(await connection.newStream(BIG.id), BIG.replyMaxBytes)
    const { signal } = new AbortController()
    await reader.write(Uint8Array.of(0), signal)
    expect(await reader.read(BIG.replyMaxBytes, signal)).toHaveLength(700_000)
  })

  it('a host resets the fifth stream of one protocol beside four open ones', async () => {
    const server = await host()
    await server.serve(ECHO, echo)
    const node = await raw()
    const connection = await node.dial(multiaddr(server.addresses()[0]!))
    const streams = await Promise.all(Array.from({ length: 4 }, () => connection.newStream(ECHO.id)))
    const fifth = await connection.newStream(ECHO.id).catch(() => undefined)
    if (fifth !== undefined && fifth.status === 'open') {
      await new Promise((resolve) => fifth.addEventListener('close', resolve, { once: true }))
    }
    expect(fifth?.status ?? 'reset').toBe('reset')
    expect(streams.map(({ status }) => status)).toEqual(Array(4).fill('open'))
  })
})

describe('the listener', () => {
  it('the listener refuses the ninth connection of an address and admits another address', async () => {
    const server = await host(undefined, { perPrefix: 8, newBurst: 100, restMs: 60_000, turnMs: 60_000 })
    await server.serve(ECHO, echo)
    const clients = await Promise.all(Array.from({ length: 8 }, () => host([])))
    for (const client of clients) expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
    const ninth = await host([])
    expect(await code(ninth.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('PEER_UNREACHABLE')
    const elsewhere = await host([], {}, { localAddress: '127.0.0.2' })
    expect(await code(elsewhere.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
    await clients[0]!.stop()
    await expect.poll(() => code(ninth.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
  })

  it('a full host closes an idle connection to admit a new one', async () => {
    const server = await host(undefined, { connections: 2, idleMs: 0 })
    await server.serve(ECHO, echo)
    const clients = await Promise.all(Array.from({ length: 5 }, () => host([])))
    for (const client of clients) expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
  })

  it('a host closes a resting connection of a full address to admit a new one of that address', async () => {
    const server = await host(undefined, { perPrefix: 2, newBurst: 100, restMs: 100 })
    await server.serve(ECHO, echo)
    for (const client of await Promise.all(Array.from({ length: 4 }, () => host([])))) {
      await expect.poll(() => code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
    }
  })

  for (const suffix of ['', '/ws']) {
    it(`the /tcp${suffix} listener serves clients of an address that keeps four silent sockets open there`, async () => {
      const server = await host([`/ip4/127.0.0.1/tcp/0${suffix}`], { newBurst: 1_000 })
      await server.serve(ECHO, echo)
      const port = Number(server.addresses()[0]!.split('/')[4])
      let isOn = true
      const hold = (): void => {
        if (!isOn) return
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        socket.on('close', () => setTimeout(hold, 5))
        ends.push(async () => void socket.destroy())
      }
      ends.push(async () => void (isOn = false))
      for (let i = 0; i < 4; i++) hold()
      await expect.poll(() => server.stats().waiting).toBe(4)
      for (let i = 0; i < 3; i++) {
        const client = await host([])
        expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
      }
    })

    it(`the /tcp${suffix} listener serves clients of an address that leaves four handshakes unfinished there`, async () => {
      const server = await host([`/ip4/127.0.0.1/tcp/0${suffix}`], { newBurst: 1_000, upgradeMs: 60_000 })
      await server.serve(ECHO, echo)
      const port = Number(server.addresses()[0]!.split('/')[4])
      const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'
      const key = 'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n'
      for (let i = 0; i < 4; i++) {
        const socket = connect(port, '127.0.0.1')
        socket.on('error', () => {})
        ends.push(async () => void socket.destroy())
        socket.write(suffix === '' ? '\x13/multistream' : upgrade + key)
      }
      await expect.poll(() => server.stats().connections).toBe(4)
      for (let i = 0; i < 3; i++) {
        const client = await host([])
        expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
      }
    })

    it(`the /tcp${suffix} listener serves others while fifty sockets of an address are silent, and closes those`, async () => {
      const server = await host([`/ip4/127.0.0.1/tcp/0${suffix}`], {
        pendingPerPrefix: 4,
        perPrefix: 8,
        upgradeMs: 400,
        newBurst: 1_000,
      })
      await server.serve(ECHO, echo)
      const sockets = await Promise.all(Array.from({ length: 50 }, () => socketTo(server.addresses()[0]!)))
      const gone = sockets.map(closed)
      const client = await host([], {}, suffix === '' ? { localAddress: '127.0.0.3' } : {})
      if (suffix === '') expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
      await Promise.all(gone)
      expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
    })

    it(`a host with a silent socket on /tcp${suffix} stops`, async () => {
      const server = await createHost({
        secret: systemRandom(32),
        listen: [`/ip4/127.0.0.1/tcp/0${suffix}`],
        clock: systemClock(),
        log: silent,
        limits: { upgradeMs: 1_000_000 },
      })
      const socket = await socketTo(server.addresses()[0]!)
      const gone = closed(socket)
      await server.stop()
      await gone
    })
  }

  it('a WebSocket message above 1 MiB closes its connection', async () => {
    const server = await host(['/ip4/127.0.0.1/tcp/0/ws'])
    const socket = new WebSocket(`ws://127.0.0.1:${server.addresses()[0]!.split('/')[4]}`)
    ends.push(() => socket.terminate())
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('open', resolve))
    const end = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send(new Uint8Array(1_048_577))
    // 1009: message too big (RFC 6455 §7.4.1).
    expect(await end).toBe(1009)
  })

  it('a malformed WebSocket frame ends its connection and not the process, on either side', async () => {
    const server = await host(['/ip4/127.0.0.1/tcp/0/ws'])
    await server.serve(ECHO, echo)
    const socket = new WebSocket(`ws://127.0.0.1:${server.addresses()[0]!.split('/')[4]}`)
    ends.push(() => socket.terminate())
    socket.on('error', () => {})
    const inside = new Promise<Socket>((resolve) =>
      socket.once('upgrade', ({ socket: tcpSocket }) => resolve(tcpSocket)),
    )
    const gone = new Promise((resolve) => socket.once('close', resolve))
    // Reserved bits set, not masked: RFC 6455 §5.2 forbids both.
    ;(await inside).write(Uint8Array.of(0xff, 0x05, 1, 2, 3, 4, 5))
    await gone

    const liar = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    ends.push(() => liar.close())
    liar.on('connection', (_, request) => request.socket.write(Uint8Array.of(0xff, 0x05, 1, 2, 3, 4, 5)))
    await new Promise((resolve) => liar.once('listening', resolve))
    const client = await host([])
    const address = `/ip4/127.0.0.1/tcp/${(liar.address() as { port: number }).port}/ws`
    expect(await code(client.request({ key: server.key, addresses: [address] }, ECHO, Uint8Array.of(1)))).toBe(
      'PEER_UNREACHABLE',
    )
    expect(await code(client.request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
  })

  it('a socket that never completes its HTTP upgrade is closed', async () => {
    // Node's own deadlines need a server that listens itself. libp2p's server does not, and kept such a socket permanently.
    const server = await host(['/ip4/127.0.0.1/tcp/0/ws'], { upgradeMs: 1_000 })
    await server.serve(ECHO, async (request) => request)
    for (const words of ['GET / HTTP/1.1\r\nHo', 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHo']) {
      const socket = connect(Number(server.addresses()[0]!.split('/')[4]), '127.0.0.1')
      ends.push(() => socket.destroy())
      socket.on('error', () => {})
      socket.resume().write(words)
      await new Promise((resolve) => socket.once('close', resolve))
    }
    expect(await code((await host([])).request(toPeer(server), ECHO, Uint8Array.of(1)))).toBe('OK')
  })

  it('a WebSocket connection that fails its handshake closes its socket', async () => {
    const server = await host(['/ip4/127.0.0.1/tcp/0/ws'], { upgradeMs: 200 })
    const socket = new WebSocket(`ws://127.0.0.1:${server.addresses()[0]!.split('/')[4]}`)
    ends.push(() => socket.terminate())
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.readyState).toBe(WebSocket.CLOSED)
  })
})

describe('a deadline', () => {
  it('a deadline rejects a task that ignores its signal and changes no other result', async () => {
    const late = (): Error => new Error('late')
    await expect(withDeadline(5, late, () => new Promise(() => {}))).rejects.toThrow('late')
    await expect(withDeadline(100_000, late, async () => 7)).resolves.toBe(7)
    await expect(withDeadline(100_000, late, () => Promise.reject(new Error('own')))).rejects.toThrow('own')
  })
})
