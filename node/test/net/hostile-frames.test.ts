/** Sends the hostile yamux frames of the shared suite to a host, which accepts the attacker's connection. */
import { systemClock } from '@geotrace/core-wasm'
import type { Protocol } from '@geotrace/core-wasm/wire'
import { expect } from 'vitest'
import { data, frame, names, rawPeer, SYN, WINDOW_UPDATE } from '../../../core-wasm/bench/raw-peer.js'
import { type Attacked, hostileFrames } from '../../../core-wasm/test/transport/hostile-frames.ts'
import { createHost } from '../../src/net/host.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const ECHO: Protocol = { id: '/test/echo/1', requestMaxBytes: 512, replyMaxBytes: 1_024 }
const [ATTACKER, HONEST] = ['127.0.0.66', '127.0.0.77']

hostileFrames('a host', async (): Promise<Attacked> => {
  const common = { clock: systemClock(), log: silent }
  const host = await createHost({ ...common, secret: systemRandom(32), listen: ['/ip4/127.0.0.1/tcp/0'] })
  await host.serve(ECHO, async (request) => request)
  const peer = await rawPeer(host.addresses()[0]!, { localAddress: ATTACKER })
  const streamId = 1
  peer.send(frame(WINDOW_UPDATE, SYN, streamId, 0))
  return {
    peer,
    streamId,
    firstId: 3,
    async complete() {
      peer.send(data(streamId, 0, Buffer.concat([names('/multistream/1.0.0', ECHO.id), Uint8Array.of(1, 9)])))
      await expect.poll(() => Buffer.from(peer.received()).includes(Buffer.of(1, 9))).toBe(true)
    },
    async expectWorking() {
      const client = await createHost({ ...common, secret: systemRandom(32), listen: [], localAddress: HONEST })
      const server = { key: host.key, addresses: host.addresses() }
      try {
        expect(await client.request(server, ECHO, Uint8Array.of(7))).toEqual(Uint8Array.of(7))
      } finally {
        await client.stop()
      }
    },
    async stop() {
      await peer.stop()
      await host.stop()
    },
  }
})
