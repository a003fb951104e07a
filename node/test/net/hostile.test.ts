/** Sends streams, requests and handshakes that only an attacker sends to a real host. PROTOCOL.md §6.5. */
import { connect } from 'node:net'
import { type Clock, systemClock } from '@geotrace/core-wasm'
import { equalBytes, type Protocol } from '@geotrace/core-wasm/wire'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach, describe, expect, it } from 'vitest'
import {
  data,
  FIN,
  frame,
  names,
  RST,
  rawPeer,
  SYN,
  WINDOW_UPDATE,
  wholeRequest,
} from '../../../core-wasm/bench/raw-peer.js'
import { lastFlags } from '../../../core-wasm/test/transport/hostile-frames.ts'
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
/** The host still answers another client. */
async function expectServing(server: Host, localAddress = '127.0.0.77'): Promise<void> {
  const client = await createHost({
    secret: systemRandom(32),
    listen: [],
    clock: systemClock(),
    log: silent,
    localAddress,
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
/** After abuse the host answers others at once, and the next client of the attacker's address in its turn. */
async function expectServingInTurn(server: Host): Promise<void> {
  const next = expectServing(server, '127.0.0.66')
  await expect.poll(() => server.stats().waiting, { interval: 5 }).toBe(1)
  await expectServing(server)
  await next
}
const opened = (id: number): Uint8Array => frame(WINDOW_UPDATE, SYN, id, 0)

describe('a stream of an attacker', () => {
  it('a stream with malformed or unknown protocol names ends', async () => {
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
      // The stream ends in a reset, or the host closes its half after an answer.
      await expect.poll(() => lastFlags(peer.received(), 1) & (RST | FIN)).not.toBe(0)
      await peer.stop()
    }
    await expectServing(server)
  })

  it('a stream that never completes its protocol name is reset', async () => {
    const server = await host({ readMs: 100 })
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, names(MULTISTREAM)))
    await expect.poll(() => lastFlags(peer.received(), 1) & RST).toBe(RST)
    await expectServing(server)
  })

  it('a stream with 5,000 wrong protocol names gets one answer', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, names(MULTISTREAM, ...Array.from({ length: 5_000 }, () => 'x'))))
    await expect.poll(() => Buffer.from(peer.received()).includes('na\n')).toBe(true)
    await expect.poll(() => lastFlags(peer.received(), 1) & (RST | FIN)).not.toBe(0)
    expect(Buffer.from(peer.received()).toString('latin1').split('na\n')).toHaveLength(2)
    await expectServing(server)
  })

  it('a stream that its peer keeps half open after the answer is reset', async () => {
    const server = await host({ lingerMs: 100 })
    const peer = await attacker(server)
    peer.send(opened(1), data(1, 0, Buffer.concat([names(MULTISTREAM, ECHO.id), Uint8Array.of(1, 9)])))
    await expect.poll(() => Buffer.from(peer.received()).includes(Buffer.of(1, 9))).toBe(true)
    await expect.poll(() => lastFlags(peer.received(), 1) & RST).toBe(RST)
  })
})

describe('a peer that sends requests without end', () => {
  it('a peer that reads none of its answers is disconnected, and the next client of its address is served in its turn', async () => {
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
    await expectServingInTurn(server)
  })

  it('a peer that reads its answers gets them all, with concurrent and with sequential requests', async () => {
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

describe('a request in tiny frames', () => {
  const whole = Buffer.concat([names(MULTISTREAM, ECHO.id), Uint8Array.of(9, 1, 2, 3, 4, 5, 6, 7, 8, 9)])

  it('a request in frames of one byte closes its connection, and its address waits for its turn', async () => {
    const server = await host()
    const peer = await attacker(server)
    peer.send(opened(1), ...[...whole].map((byte) => data(1, 0, Uint8Array.of(byte))))
    await peer.closed
    await expectServingInTurn(server)
  })

  it('a request in one frame for each of its three parts is answered', async () => {
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
  it('a handshake above 16 KiB closes its connection', async () => {
    const server = await host({ upgradeMs: 1_000_000 })
    for (const address of server.addresses().filter((item) => !item.endsWith('/ws'))) {
      const socket = connect({ port: Number(address.split('/')[4]), host: '127.0.0.1', localAddress: '127.0.0.66' })
      ends.push(() => socket.destroy())
      socket.on('error', () => {})
      const gone = new Promise((resolve) => socket.once('close', resolve))
      // Each line is valid and is answered, because the host waits for a name that it knows.
      const line = names('/no/such/thing')
      socket.write(names(MULTISTREAM))
      for (let i = 0; i < 16 * KIB; i += line.length) socket.write(line)
      await gone
    }
    await expectServing(server)
  })

  it('a handshake with a key other than Ed25519 is refused, whatever its DER (CVE-2026-110789)', async () => {
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
      await expectRefused(server, forgedIdentity(Buffer.from(der, 'hex')))
    }
    // A valid RSA key is refused too.
    await expectRefused(server, await generateKeyPair('RSA', 2_048))
    expect((await attacker(server, { identity: await generateKeyPair('Ed25519') })).isOpen()).toBe(true)
    await expectServing(server)
  })
})

describe('the capacity of a host', () => {
  it('a host admits a newcomer while silent sockets of many addresses fill its waiting table', async () => {
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

  it('a host admits a newcomer while two addresses hold all connections and keep them busy', async () => {
    const server = await host({ connections: 8, perPrefix: 4 })
    for (const localAddress of ['127.0.0.71', '127.0.0.72']) {
      for (let n = 0; n < 4; n++) {
        const peer = await attacker(server, { localAddress })
        // An unfinished request keeps the connection from being idle.
        peer.send(opened(1), data(1, 0, names(MULTISTREAM, ECHO.id)))
      }
    }
    await expectServing(server)
  })

  it('a full host closes no connection of a member to admit a newcomer', async () => {
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

  it('incomplete requests occupy no slot of a host', async () => {
    const server = await host()
    for (let i = 0; i < 8; i++) {
      const peer = await attacker(server, { localAddress: `127.0.0.${80 + i}` })
      for (const id of [1, 3, 5, 7]) {
        peer.send(opened(id), data(id, 0, Buffer.concat([names(MULTISTREAM, ECHO.id), Buffer.of(2, 1)])))
      }
      // The host answers the protocol names, so it knows of the request.
      await expect.poll(() => peer.received().length).toBeGreaterThan(4 * names(MULTISTREAM, ECHO.id).length)
    }
    expect(server.stats().inFlight).toBe(0)
    await expectServing(server)
  })

  it('a full host refuses a newcomer when every address has one busy connection', async () => {
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

/** The attacker sends the last message of a handshake, so its side may look connected until the host closes it. */
async function expectRefused(server: Host, identity: PrivateKey): Promise<void> {
  const peer = await attacker(server, { identity }).catch(() => undefined)
  await peer?.closed
  expect(peer?.received() ?? []).toHaveLength(0)
  expect(server.stats().connections).toBe(0)
}

/** A Noise identity of type RSA with any bytes as its key. */
function forgedIdentity(der: Uint8Array): PrivateKey {
  const publicKey = { type: 'RSA', raw: der, equals: () => false, toString: () => 'forged' }
  return { type: 'RSA', raw: der, publicKey, sign: async () => new Uint8Array(256) } as unknown as PrivateKey
}
