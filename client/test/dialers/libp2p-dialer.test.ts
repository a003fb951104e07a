import { noise } from '@chainsafe/libp2p-noise'
import { polyfillPromise } from '@geotrace/core-wasm'
import { equalBytes, keyToPeerId, type PeerAddress, type Protocol } from '@geotrace/core-wasm/wire'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { libp2pDialer } from '../../src/node.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 100_000, replyMaxBytes: 100_000 }
const SILENT: Protocol = { ...ECHO, id: '/test/silent/1' }
const SMALL: Protocol = { ...ECHO, replyMaxBytes: 10 }

let server: Libp2p
let key: Uint8Array
const seen: { peer: string; address: string }[] = []

beforeAll(async () => {
  polyfillPromise()
  server = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'] },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    // A stock peer takes five connections a second from one address.
    connectionManager: { inboundConnectionThreshold: 1_000 },
  })
  await server.handle(ECHO.id, async (stream: Stream, connection) => {
    seen.push({ peer: connection.remotePeer.toString(), address: connection.remoteAddr.toString() })
    const framed = lpStream(stream, { maxDataLength: 100_000 })
    await framed.write(await framed.read())
    await stream.close()
  })
  await server.handle(SILENT.id, () => {})
  key = (server.peerId as { publicKey?: { raw: Uint8Array } }).publicKey!.raw
})
afterAll(() => server.stop())

function peer(kind: 'tcp' | 'ws' | 'both'): PeerAddress {
  const addresses = server.getMultiaddrs().map((item) => item.toString().replace(/\/p2p\/.*/, ''))
  return { key, addresses: addresses.filter((item) => kind === 'both' || item.endsWith('/ws') === (kind === 'ws')) }
}

describe('the libp2p dialer', () => {
  it('a session sends many requests on one connection, over TCP and over WebSocket', async () => {
    for (const kind of ['tcp', 'ws', 'both'] as const) {
      seen.length = 0
      const session = await libp2pDialer().open()
      const frames = Array.from({ length: 8 }, (_, i) => new Uint8Array(1 + i * 10_000).fill(i))
      const replies = await Promise.all(frames.map((frame) => session.request(peer(kind), ECHO, frame)))
      await session.close()
      // Deep equality of such long byte arrays takes seconds.
      expect(replies.every((reply, i) => equalBytes(reply, frames[i]!))).toBe(true)
      expect(new Set(seen.map((item) => item.address)).size).toBe(1)
      expect(seen[0]!.address.includes('/ws')).toBe(kind === 'ws')
    }
  })

  it('every session has another peer id', async () => {
    seen.length = 0
    for (let i = 0; i < 2; i++) {
      const session = await libp2pDialer().open()
      await session.request(peer('tcp'), ECHO, Uint8Array.of(1))
      await session.close()
    }
    expect(new Set(seen.map((item) => item.peer)).size).toBe(2)
  })

  it('a session dials again when the peer closed the connection between two requests', async () => {
    const session = await libp2pDialer().open()
    await session.request(peer('tcp'), ECHO, Uint8Array.of(1))
    await Promise.all(server.getConnections().map((connection) => connection.close()))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await session.request(peer('tcp'), ECHO, Uint8Array.of(2))).toEqual(Uint8Array.of(2))
    await session.close()
  })

  it('TCP connections leave from the given local address', async () => {
    seen.length = 0
    const session = await libp2pDialer({ localAddress: '127.0.0.1' }).open()
    await session.request(peer('tcp'), ECHO, Uint8Array.of(1))
    await session.close()
    expect(seen[0]!.address).toContain('/ip4/127.0.0.1/')
    const wrong = await libp2pDialer({ localAddress: '192.0.2.1' }).open()
    await expect(wrong.request(peer('tcp'), ECHO, Uint8Array.of(1))).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await wrong.close()
  })

  it('each failure has its code: unreachable, wrong key, silent, too large, aborted', async () => {
    const session = await libp2pDialer({ dialTimeoutMs: 3_000, stepTimeoutMs: 300 }).open()
    const frame = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
    const nobody = { key: new Uint8Array(key).fill(7, 3, 9), addresses: ['/ip4/127.0.0.1/tcp/1'] }
    await expect(session.request(nobody, ECHO, frame)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    const impostor = { key: nobody.key, addresses: peer('tcp').addresses }
    await expect(session.request(impostor, ECHO, frame)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    await expect(session.request({ key, addresses: [] }, ECHO, frame)).rejects.toMatchObject({
      code: 'PEER_UNREACHABLE',
    })
    await expect(session.request(peer('tcp'), SILENT, frame)).rejects.toMatchObject({
      code: 'PEER_TIMEOUT',
      data: { peer: keyToPeerId(key) },
    })
    await expect(session.request(peer('tcp'), SMALL, frame)).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    await expect(session.request(peer('tcp'), { ...ECHO, requestMaxBytes: 5 }, frame)).rejects.toThrow(RangeError)
    const controller = new AbortController()
    const aborted = session.request(peer('tcp'), SILENT, frame, { signal: controller.signal })
    setTimeout(() => controller.abort(), 50)
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await session.request(peer('tcp'), ECHO, frame)).toEqual(frame)
    await session.close()
  })
})
