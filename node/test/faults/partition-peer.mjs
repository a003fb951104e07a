/**
 * One peer of partition.test.ts in a network of its own. First message: what to be. Then every other peer is asked twice a
 * second, and what it says when asked is when each answered last.
 *   ours   a salt node or the central peer: asked over the links that it keeps by itself (membership/links.ts); and
 *          those on its side, as by a phone, by a host beside it
 *   stock  js-libp2p as it comes, that asks over the connections it once made
 */
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

const PROBE_MS = 500
const ECHO = '/test/echo/1'

const kinds = {
  async ours({ manifest, dir, secret, operatorSecret, isCentral, near }) {
    const [clock, random, log, core] = [systemClock(), systemRandom, silent, await loadCore()]
    const bytes = (hex) => Uint8Array.from(Buffer.from(hex, 'hex'))
    // The host that the peer itself opens: its links are the ones that are looked at.
    let own
    const openHost = async (init) => {
      own = await createHost(init)
      return own
    }
    const shared = { manifest, clock, random, log, core, dir, openHost }
    const make = isCentral ? centralPeer : saltNode
    const peer = make({ ...shared, secret: bytes(secret), operatorSecret: bytes(operatorSecret) })
    await peer.start()
    const phone = await createHost({ secret: random(32), listen: [], clock, log })
    const [time, get] = [{ op: 'time' }, { op: 'get', height: 0 }].map(encodeRosterRequest)
    const all = [...manifest.members, manifest.central].map(({ peerId, addresses }) => ({
      name: peerId,
      to: { key: peerIdToKey(peerId), addresses },
    }))
    return {
      state: () => peer.status().state,
      asked: {
        // Over the link as it is. Without an address there is nothing to dial, and giving up closes nothing.
        links: all.map(({ name, to: { key } }) => [
          name,
          () => own.request({ key, addresses: [] }, ROSTER_PROTOCOL, time, { signal: AbortSignal.timeout(PROBE_MS) }),
        ]),
        phones: all
          .filter(({ name }) => near.includes(name))
          .map(({ name, to }) => [name, () => phone.request(to, ROSTER_PROTOCOL, get)]),
      },
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
      asked: {
        links: others.map((address) => [
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
      },
    }
  },
}

process.once('message', async ({ kind, ...init }) => {
  const { state, asked } = await kinds[kind](init)
  /** When each peer answered last. */
  const answered = Object.fromEntries(Object.keys(asked).map((way) => [way, {}]))
  for (const [way, peers] of Object.entries(asked)) {
    for (const [name, ask] of peers) {
      const probe = async () => {
        await ask().then(
          () => {
            answered[way][name] = Date.now()
          },
          () => {},
        )
        setTimeout(probe, PROBE_MS)
      }
      probe()
    }
  }
  process.on('message', () => process.send({ state: state(), answered }))
})
process.on('disconnect', () => process.exit())
process.send('ready')
