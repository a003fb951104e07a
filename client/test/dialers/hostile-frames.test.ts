/** Sends the hostile yamux frames of the shared suite to a session, which opened the connection to the attacker. */
import { noise } from '@chainsafe/libp2p-noise'
import { FederationError } from '@geotrace/core-wasm'
import type { PeerAddress, Protocol } from '@geotrace/core-wasm/wire'
import type { Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, expect } from 'vitest'
import { ACK, data, FIN, frame, names, rawListener, WINDOW_UPDATE } from '../../../core-wasm/bench/raw-peer.js'
import { type Attacked, hostileFrames, type RawPeer } from '../../../core-wasm/test/transport/hostile-frames.ts'
import { libp2pDialer } from '../../src/node.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }

let honest: Libp2p
let honestPeer: PeerAddress
beforeAll(async () => {
  honest = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: { inboundConnectionThreshold: 1_000 },
  })
  await honest.handle(ECHO.id, async (stream: Stream) => {
    const framed = lpStream(stream)
    await framed.write(await framed.read())
    await stream.close()
  })
  const { publicKey } = honest.peerId as { publicKey?: { raw: Uint8Array } }
  honestPeer = {
    key: publicKey!.raw,
    addresses: honest.getMultiaddrs().map((item) => `${item}`.replace(/\/p2p\/.*/, '')),
  }
})
afterAll(() => honest.stop())

hostileFrames('a session', async (): Promise<Attacked> => {
  let connected: (peer: RawPeer) => void = () => {}
  const connecting = new Promise<RawPeer>((resolve) => (connected = resolve))
  const listener = await rawListener(connected)
  const session = await libp2pDialer({ stepTimeoutMs: 60_000 }).open()
  const asked = session.request(listener, ECHO, Uint8Array.of(1)).catch((error: unknown) => error)
  const peer = await connecting
  // The stream is open once the names have arrived.
  await expect.poll(() => Buffer.from(peer.received()).includes(ECHO.id)).toBe(true)
  const streamId = 1
  return {
    peer,
    streamId,
    firstId: 2,
    async complete() {
      const reply = Buffer.concat([names('/multistream/1.0.0', ECHO.id), Uint8Array.of(1, 9)])
      peer.send(data(streamId, ACK, reply), frame(WINDOW_UPDATE, FIN, streamId, 0))
      expect(await asked).toEqual(Uint8Array.of(9))
    },
    async expectWorking() {
      expect(await session.request(honestPeer, ECHO, Uint8Array.of(7))).toEqual(Uint8Array.of(7))
    },
    async stop() {
      await session.close()
      await listener.stop()
      const result = await asked
      if (!(result instanceof Uint8Array)) expect(result).toBeInstanceOf(FederationError)
    },
  }
})
