/**
 * One peer of partition.test.ts in a network of its own. First message: what to be. Then it probes every other peer each
 * second and says of each, when asked, how long ago a probe was last answered.
 *   ours   a salt node or the central peer, and a host beside it that asks every peer for the roster
 *   stock  js-libp2p as it comes, that asks over the connections it once made
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { loadCore, systemClock } from '@geotrace/core-wasm'
import { encodeRosterRequest, peerIdToKey, ROSTER_PROTOCOL } from '@geotrace/core-wasm/wire'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { centralPeer, saltNode, silent, systemRandom } from '../../dist/index.js'
import { createHost } from '../../dist/net/host.js'

const PROBE_MS = 1_000
const ECHO = '/test/echo/1'
/** When each peer answered last. */
const answered = new Map()

const kinds = {
  async ours({ manifest, secret, operatorSecret, isCentral }) {
    const [clock, random, log, core] = [systemClock(), systemRandom, silent, await loadCore()]
    const dir = mkdtempSync(join(tmpdir(), 'geotrace-partition-'))
    const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
    const shared = { manifest, clock, random, log, core, dir }
    const make = isCentral ? centralPeer : saltNode
    const peer = make({ ...shared, secret: bytes(secret), operatorSecret: bytes(operatorSecret) })
    // As whatever keeps links up would have it: a link is given up after three seconds of silence.
    const limits = { dialMs: 2_000, replyMs: 3_000 }
    const host = await createHost({ secret: random(32), listen: [], clock, log, limits })
    const get = encodeRosterRequest({ op: 'get', height: 0 })
    await peer.start()
    return {
      state: () => peer.status().state,
      peers: [...manifest.members, manifest.central].map(({ peerId, addresses }) => [
        peerId,
        () => host.request({ key: peerIdToKey(peerId), addresses }, ROSTER_PROTOCOL, get),
      ]),
    }
  },
  async stock({ listen, others }) {
    const node = await createLibp2p({
      addresses: { listen: [listen] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    await node.handle(ECHO, async (stream) => {
      const lp = lpStream(stream)
      await lp.write(await lp.read())
      await stream.close()
    })
    const dialled = new Map()
    return {
      state: () => 'serving',
      peers: others.map((address) => [
        address,
        async () => {
          if (!dialled.has(address)) dialled.set(address, (await node.dial(multiaddr(address))).remotePeer)
          const [connection] = node.getConnections(dialled.get(address))
          if (connection === undefined) throw new Error('the connection is gone')
          const signal = AbortSignal.timeout(5_000)
          const stream = await connection.newStream(ECHO, { signal })
          const lp = lpStream(stream)
          await lp.write(new Uint8Array(8), { signal })
          await lp.read({ signal })
          await stream.close({ signal })
        },
      ]),
    }
  },
}

process.once('message', async ({ kind, ...init }) => {
  const { state, peers } = await kinds[kind](init)
  for (const [name, ask] of peers) {
    const probe = async () => {
      await ask().then(
        () => answered.set(name, Date.now()),
        () => {},
      )
      setTimeout(probe, PROBE_MS)
    }
    probe()
  }
  process.on('message', () => process.send({ state: state(), answered: Object.fromEntries(answered) }))
})
process.on('disconnect', () => process.exit())
process.send('ready')
