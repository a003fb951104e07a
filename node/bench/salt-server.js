/**
 * One contender of the salt benchmark in a process of its own. `salt`: a whole salt node. `canned`: the same host and
 * protocol with a handler that copies an answer of the same size. `https`: Node's HTTPS server with that answer. `stock`:
 * stock js-libp2p with that answer. It sends its address to its parent, and its CPU and memory use at every message.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { noise } from '@chainsafe/libp2p-noise'
import { systemClock } from '@geotrace/core-wasm'
import { SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { LOOPBACK_CERTIFICATE } from '../../scripts/loopback-certificates.js'
import { silent, systemRandom } from '../dist/index.js'
import { createHost } from '../dist/net/host.js'
import { oneNode } from './one-node.js'

const [contender, answerBytes] = process.argv.slice(2)
const dir = mkdtempSync(join(tmpdir(), 'geotrace-bench-'))
const limits = JSON.parse(process.env.HOST_LIMITS ?? '{}')
// The first byte is the status of success.
const answer = systemRandom(Number(answerBytes)).fill(0, 0, 1)

const start = {
  async salt() {
    const { manifest, stop } = await oneNode({ dir, limits })
    return { manifest, stop }
  },
  async canned() {
    const host = await createHost({
      secret: systemRandom(32),
      listen: ['/ip4/127.0.0.1/tcp/0'],
      clock: systemClock(),
      log: silent,
      limits,
    })
    await host.serve(SALT_PROTOCOL, async () => answer.slice())
    return { key: [...host.key], addresses: host.addresses(), stop: () => host.stop() }
  },
  async stock() {
    const node = await createLibp2p({
      addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
    })
    await node.handle(SALT_PROTOCOL.id, async (stream) => {
      const lp = lpStream(stream)
      await lp.read()
      await lp.write(answer.slice())
      await stream.close()
    })
    const [address] = node.getMultiaddrs().map((item) => item.toString().replace(/\/p2p\/.*/, ''))
    return { key: [...node.peerId.publicKey.raw], addresses: [address], stop: () => node.stop() }
  },
  async https() {
    const server = createServer({ ...LOOPBACK_CERTIFICATE, minVersion: 'TLSv1.3' }, (request, response) => {
      request.on('data', () => {})
      request.on('end', () => {
        response.setHeader('content-type', 'application/octet-stream')
        response.end(answer.slice())
      })
    })
    // Connections stay open between rounds. Clients never resume TLS sessions, because a phone connects once an hour.
    server.keepAliveTimeout = 60_000
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
    return { port: server.address().port, stop: () => server.close() }
  },
}

const { stop, ...where } = await start[contender]()
process.send({ ...where })
process.on('message', () => {
  const { user, system } = process.cpuUsage()
  const rssBytes = process.memoryUsage.rss()
  process.send({ cpuUs: user + system, rssBytes, rssMostBytes: process.resourceUsage().maxRSS * 1024 })
})
process.on('disconnect', async () => {
  await stop()
  rmSync(dir, { recursive: true, force: true })
  process.exit()
})
