/** Frames of published attacks, and others that only an attacker sends, against a real host. PROTOCOL.md §6.5. */
import { connect } from 'node:net'
import { type Clock, systemClock } from '@geotrace/core-wasm'
import { equalBytes, type Protocol } from '@geotrace/core-wasm/wire'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import {
  ACK,
  DATA,
  data,
  FIN,
  frame,
  GO_AWAY,
  names,
  PING,
  RST,
  rawPeer,
  SYN,
  WINDOW_UPDATE,
  wholeRequest,
} from '../../bench/raw-peer.js'
import { STREAMS_PER_PING, STREAMS_UNREAD_MAX } from '../../src/net/guard/unread.ts'
import { createHost } from '../../src/net/host.ts'
import type { HostLimits } from '../../src/net/limits.ts'
import type { Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
const COUNTED: Protocol = { ...ECHO, id: '/test/counted/1' }
const MULTISTREAM = '/multistream/1.0.0'
const KIB = 1_024
type RawPeer = Awaited<ReturnType<typeof rawPeer>>
const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

async function host(limits: Partial<HostLimits> = {}, clock: Clock = systemClock()): Promise<Host> {
  const made = await createHost({
    secret: systemRandom(32),
    listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'],
    clock,
    log: silent,
    limits: { newBurst: 1_000, ...limits },
  })
  ends.push(() => made.stop())
  await made.serve(ECHO, async (request) => request)
  return made
}
async function attacker(server: Host, init: { localAddress?: string; identity?: PrivateKey } = {}): Promise<RawPeer> {
  const peer = await rawPeer(server.addresses()[0]!, { localAddress: '127.0.0.66', ...init })
  ends.push(() => peer.stop())
  return peer
}
/** The host still answers somebody else. */
async function expectServing(server: Host): Promise<void> {
  const client = await createHost({
    secret: systemRandom(32),
    listen: [],
    clock: systemClock(),
    log: silent,
    localAddress: '127.0.0.77',
  })
  try {
    const { key } = server
    expect(await client.request({ key, addresses: server.addresses() }, ECHO, Uint8Array.of(7))).toEqual(
      Uint8Array.of(7),
    )
  } finally {
    await client.stop()
  }
}
/** Sends until the other side has had enough. */
async function until(peer: RawPeer, next: () => Uint8Array): Promise<void> {
  while (peer.isOpen()) {
    peer.send(next())
    await new Promise((resolve) => setImmediate(resolve))
  }
  await peer.closed
}
const opened = (id: number): Uint8Array => frame(WINDOW_UPDATE, SYN, id, 0)

describe('yamux frames of an attacker', () => {
  it('a window that overflows 32 bits harms nobody (CVE-2026-31814)', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), ...Array.from({ length: 64 }, () => frame(WINDOW_UPDATE, 0, 1, 0xffffffff)))
    peer.send(data(1, 0, Buffer.concat([names(MULTISTREAM, ECHO.id), Uint8Array.of(1, 9)])))
    await expect.poll(() => Buffer.from(peer.received()).includes(Buffer.of(1, 9))).toBe(true)
    await expectServing(server)
  })

  it('a first frame one byte beyond the window ends the connection (CVE-2026-32314)', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(frame(DATA, SYN, 1, 262_145), new Uint8Array(262_145))
    await peer.closed
    await expectServing(server)
  })

  it('a frame that announces 4 GiB is not waited for', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), frame(DATA, 0, 1, 0xffffffff))
    let sent = 0
    await until(peer, () => {
      sent += 16 * KIB
      return new Uint8Array(16 * KIB)
    })
    // What was on its way when it was closed comes on top.
    expect(sent).toBeLessThan(4_096 * KIB)
    await expectServing(server)
  })

  it('a frame in tinyFrames of one byte is not collected', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), frame(DATA, 0, 1, 200_000))
    let sent = 0
    await until(peer, () => Uint8Array.of(sent++ & 1))
    expect(sent).toBeLessThan(20_000)
    await expectServing(server)
  })

  for (const [what, next] of [
    ['pings that want answers nobody reads', () => frame(PING, SYN, 0, 1)],
    ['streams that are reset at once', (id: number) => Buffer.concat([opened(id), frame(WINDOW_UPDATE, RST, id, 0)])],
    ['empty frames', () => frame(DATA, 0, 1, 0)],
    ['updates of a window that nobody uses', () => frame(WINDOW_UPDATE, 0, 1, 1)],
    ['frames for streams that never were', (id: number) => frame(DATA, 0, id, 1, Uint8Array.of(0))],
    ['more streams than one may have', (id: number) => opened(id)],
  ] as const) {
    it(`${what} end the connection, and its address waits for the next`, async () => {
      const server = await host()
      const peer = await attacker(server)
      peer.pause()
      let id = -1
      await until(peer, () => Buffer.concat(Array.from({ length: 16 }, () => next((id += 2)))))
      await expect(attacker(server)).rejects.toThrow()
      await expectServing(server)
    })
  }

  it('that are none end the connection', async () => {
    const server = await host()
    for (const bytes of [
      Uint8Array.from({ length: 12 }, () => 0xff),
      frame(7, 0, 1, 0),
      frame(PING, 0, 5, 0),
      frame(PING, ACK, 0, 5),
      frame(DATA, SYN, 2, 0),
      frame(GO_AWAY, 0, 0, 2),
    ]) {
      const peer = await attacker(server)
      peer.send(bytes)
      await peer.closed
    }
    await expectServing(server)
  })
})

describe('a stream of an attacker', () => {
  it('that names no protocol, or in no known way, is reset', async () => {
    const server = await host()
    for (const bytes of [
      Uint8Array.of(0),
      Uint8Array.of(3, 65, 65, 65),
      Uint8Array.of(0xff, 0xff, 0x7f),
      Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
      Uint8Array.of(2, 0xc3, 10),
      names(MULTISTREAM, 'ls'),
      names(MULTISTREAM, '__proto__', 'constructor', 'hasOwnProperty'),
      names(...Array.from({ length: 40 }, () => MULTISTREAM)),
      names(ECHO.id, 'na', 'na'),
    ]) {
      const peer = await attacker(server)
      peer.send(opened(1), data(1, FIN, bytes))
      // Whatever it was told, the stream ends in a reset or with our half closed.
      await expect.poll(() => lastFlags(peer.received(), 1) & (RST | FIN)).not.toBe(0)
      await peer.stop()
    }
    await expectServing(server)
  })

  it('that never finishes naming its protocol is reset', async () => {
    const server = await host({ readMs: 100 })
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, names(MULTISTREAM)))
    await expect.poll(() => lastFlags(peer.received(), 1) & RST).toBe(RST)
    await expectServing(server)
  })

  it('gets one answer, however many wrong names it sends', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, names(MULTISTREAM, ...Array.from({ length: 5_000 }, () => 'x'))))
    await expect.poll(() => Buffer.from(peer.received()).includes('na\n')).toBe(true)
    await expect.poll(() => lastFlags(peer.received(), 1) & (RST | FIN)).not.toBe(0)
    expect(Buffer.from(peer.received()).toString('latin1').split('na\n')).toHaveLength(2)
    await expectServing(server)
  })

  it('that stays half open after its answer is reset, so that it cannot hold a place', async () => {
    const server = await host({ lingerMs: 100 })
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, Buffer.concat([names(MULTISTREAM, ECHO.id), Uint8Array.of(1, 9)])))
    await expect.poll(() => Buffer.from(peer.received()).includes(Buffer.of(1, 9))).toBe(true)
    await expect.poll(() => lastFlags(peer.received(), 1) & RST).toBe(RST)
  })
})

describe('a peer that asks on and on', () => {
  it('is cut off when it reads none of the answers, and its address waits', async () => {
    const server = await host()
    let served = 0
    await server.serve(COUNTED, async (request) => {
      served++
      return request
    })
    const peer = await attacker(server)
    peer.pause()
    for (let id = 1; peer.isOpen(); id += 2) {
      peer.send(wholeRequest(id, COUNTED.id, Uint8Array.of(7)))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await peer.closed
    expect(served).toBeGreaterThan(STREAMS_PER_PING)
    expect(served).toBeLessThanOrEqual(STREAMS_PER_PING + STREAMS_UNREAD_MAX)
    await expect(attacker(server)).rejects.toThrow()
    await expectServing(server)
  })

  it('is answered on and on when it reads them, all at once or one after the other', async () => {
    const server = await host({ workBurst: 1e9 })
    const client = await createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent })
    ends.push(() => client.stop())
    const peer = { key: server.key, addresses: server.addresses() }
    const ask = async (n: number): Promise<void> =>
      expect(await client.request(peer, ECHO, Uint8Array.of(n))).toEqual(Uint8Array.of(n))
    await Promise.all(Array.from({ length: 100 }, (_, n) => ask(n)))
    for (let n = 0; n < 100; n++) await ask(n)
    expect(server.stats().connections).toBe(1)
  })
})

describe('a request in tinyFrames', () => {
  const whole = Buffer.concat([names(MULTISTREAM, ECHO.id), Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 9)])

  it('ends the connection, and keeps the address out', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), ...[...whole].map((byte) => data(1, 0, Uint8Array.of(byte))))
    await peer.closed
    await expect(attacker(server)).rejects.toThrow()
    await expectServing(server)
  })

  it('is answered when they are as few as the parts that it has', async () => {
    const server = await host()
    const peer = await attacker(server)
    const head = whole.length - 10
    for (let id = 1; id < 20; id += 2) {
      const parts = [whole.subarray(0, head), whole.subarray(head, head + 1), whole.subarray(head + 1)]
      peer.send(opened(id), ...parts.map((part) => data(id, 0, part)), frame(WINDOW_UPDATE, FIN, id, 0))
      await expect
        .poll(() => Buffer.from(peer.received()).toString('latin1').split('\x09\x01\x02').length)
        .toBe((id + 3) / 2)
    }
    expect(peer.isOpen()).toBe(true)
  })
})

describe('a handshake of an attacker', () => {
  it('is cut off when it is longer than any handshake', async () => {
    const server = await host({ upgradeMs: 1_000_000 })
    for (const address of server.addresses().filter((item) => !item.endsWith('/ws'))) {
      const socket = connect({ port: Number(address.split('/')[4]), host: '127.0.0.1', localAddress: '127.0.0.66' })
      ends.push(() => socket.destroy())
      socket.on('error', () => {})
      const gone = new Promise((resolve) => socket.once('close', resolve))
      // Each is a right question, and is answered: the other side waits for a name it knows.
      const line = names('/no/such/thing')
      socket.write(names(MULTISTREAM))
      for (let i = 0; i < 16 * KIB; i += line.length) socket.write(line)
      await gone
    }
    await expectServing(server)
  })

  it('with a key that is not Ed25519, in any DER, is refused (CVE-2026-110789)', async () => {
    const server = await host()
    const rsa = '30819f300d06092a864886f70d010101050003818d00'
    for (const der of [
      '30848fffffff',
      '3088ffffffffffffffff',
      '30ff',
      '3080',
      `${'3080'.repeat(2_000)}`,
      `${'3084ffffffff'.repeat(500)}`,
      `${rsa}0284ffffffff`,
      `${rsa}30880fffffffffffff02`,
      '',
    ]) {
      await expectTurnedAway(server, forgedIdentity(Buffer.from(der, 'hex')))
    }
    // The same way, a key that is what it says.
    await expectTurnedAway(server, await generateKeyPair('RSA', 2_048))
    expect((await attacker(server, { identity: await generateKeyPair('Ed25519') })).isOpen()).toBe(true)
    await expectServing(server)
  })
})

describe('the room of a host', () => {
  it('is given to a newcomer when silent sockets of many addresses fill the handshakes', async () => {
    const server = await host({ silent: 8, silentMs: 1_000_000 })
    for (const [i, address] of [...server.addresses(), ...server.addresses()].entries()) {
      for (let n = 0; n < 20; n++) {
        const localAddress = `127.1.${i}.${n + 1}`
        const socket = connect({ port: Number(address.split('/')[4]), host: '127.0.0.1', localAddress })
        ends.push(() => socket.destroy())
        socket.on('error', () => {})
        await new Promise((resolve) => socket.once('connect', resolve))
      }
    }
    await expectServing(server)
    const ws = { key: server.key, addresses: server.addresses().filter((address) => address.endsWith('/ws')) }
    const client = await createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent })
    ends.push(() => client.stop())
    expect(await client.request(ws, ECHO, Uint8Array.of(5))).toEqual(Uint8Array.of(5))
  })

  it('is given to a newcomer when few addresses hold all connections and keep them busy', async () => {
    const server = await host({ connections: 8, perPrefix: 4 })
    for (const localAddress of ['127.0.0.71', '127.0.0.72']) {
      for (let n = 0; n < 4; n++) {
        const peer = await attacker(server, { localAddress })
        // A request under way: the connection is not idle.
        peer.send(opened(1), data(1, 0, names(MULTISTREAM, ECHO.id)))
      }
    }
    await expectServing(server)
  })

  it('is not taken from members of the federation', async () => {
    const server = await host({ connections: 4, perPrefix: 4 })
    const members: { key: Uint8Array; peer: RawPeer }[] = []
    for (let n = 0; n < 2; n++) {
      const identity = await generateKeyPair('Ed25519')
      members.push({
        key: identity.publicKey.raw,
        peer: await attacker(server, { identity, localAddress: '127.0.0.71' }),
      })
    }
    server.gossip.admit((key) => members.some((member) => equalBytes(member.key, key)))
    const others = []
    for (let n = 0; n < 2; n++) others.push(await attacker(server, { localAddress: '127.0.0.72' }))
    await expectServing(server)
    expect(members.every(({ peer }) => peer.isOpen())).toBe(true)
    expect(others.filter(({ isOpen }) => isOpen())).toHaveLength(1)
  })

  it('is not taken up by requests that are not whole', async () => {
    const server = await host()
    for (let i = 0; i < 8; i++) {
      const peer = await attacker(server, { localAddress: `127.0.0.${80 + i}` })
      for (const id of [1, 3, 5, 7]) {
        peer.send(opened(id), data(id, 0, Buffer.concat([names(MULTISTREAM, ECHO.id), Buffer.of(2, 1)])))
      }
      // It is answered what it names: the host knows of the request.
      await expect.poll(() => peer.received().length).toBeGreaterThan(4 * names(MULTISTREAM, ECHO.id).length)
    }
    expect(server.stats().inFlight).toBe(0)
    await expectServing(server)
  })

  it('is not given to whoever has as much as the others', async () => {
    const server = await host({ connections: 2, perPrefix: 4 })
    const peers = []
    for (const localAddress of ['127.0.0.71', '127.0.0.72']) {
      const peer = await attacker(server, { localAddress })
      peer.send(opened(1), data(1, 0, names(MULTISTREAM, ECHO.id)))
      peers.push(peer)
    }
    await expect(attacker(server, { localAddress: '127.0.0.73' })).rejects.toThrow()
    expect(peers.every(({ isOpen }) => isOpen())).toBe(true)
  })
})

/** Flags of the last frame for a stream in what yamux sent. */
function lastFlags(bytes: Uint8Array, id: number): number {
  const buffer = Buffer.from(bytes)
  let flags = 0
  for (let at = 0; at + 12 <= buffer.length; ) {
    if (buffer.readUInt32BE(at + 4) === id) flags |= buffer.readUInt16BE(at + 2)
    at += 12 + (buffer[at + 1] === DATA ? buffer.readUInt32BE(at + 8) : 0)
  }
  return flags
}

/** The last word of a handshake is the attacker's: it may think itself in until it is told otherwise. */
async function expectTurnedAway(server: Host, identity: PrivateKey): Promise<void> {
  const peer = await attacker(server, { identity }).catch(() => undefined)
  await peer?.closed
  expect(peer?.received() ?? []).toHaveLength(0)
  expect(server.stats().connections).toBe(0)
}

/** A Noise identity of type RSA with whatever bytes as its key. */
function forgedIdentity(der: Uint8Array): PrivateKey {
  const publicKey = { type: 'RSA', raw: der, equals: () => false, toString: () => 'forged' }
  return { type: 'RSA', raw: der, publicKey, sign: async () => new Uint8Array(256) } as unknown as PrivateKey
}
