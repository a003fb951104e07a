/** Goal G5: syncs while salt nodes are down, with six replicas a shard, real nodes and clients, streams on loopback. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { createTracer, memoryStorage } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { systemClock } from '@geotrace/core-wasm'
import { assertManifest, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { centralPeer } from '../../src/central/peer.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { SaltNode } from '../../src/salt/node.ts'
import { cast, core, freePorts, isServing, Stage, until } from '../salt/federation.ts'

const [NODES, REPLICAS, SHARDS] = [12, 6, 4]
const clock = systemClock()
const stage = new Stage()
const gates: Gate[] = []
let manifest: Parameters<typeof createTracer>[0]['federation']

beforeAll(async () => {
  const drawn = await cast(NODES, clock.now(), { replicas: REPLICAS, shards: SHARDS })
  const ports = await freePorts(NODES)
  // All connections to a node pass through a gate. A shut gate acts like a cable that is pulled out.
  const nodePorts = drawn.manifest.members.map(({ addresses }) => Number(addresses[0]!.split('/')[4]))
  manifest = assertManifest({
    ...drawn.manifest,
    members: drawn.manifest.members.map((member, i) => ({ ...member, addresses: [`/ip4/127.0.0.1/tcp/${ports[i]}`] })),
  })
  for (const [i, port] of ports.entries()) gates.push(await gate(port, nodePorts[i]!))
  const shared = { manifest, clock, random: systemRandom, log: silent, core }
  const nodes: SaltNode[] = []
  for (const [i, secret] of drawn.secrets.entries()) {
    const listen = [`/ip4/127.0.0.1/tcp/${nodePorts[i]}`]
    const limits = { perPrefix: 500, pendingPerPrefix: 100, newPerSecond: 500, newBurst: 500 }
    const operatorSecret = drawn.operatorSecrets[i]!
    const localAddress = `127.59.0.${i + 1}`
    nodes.push(stage.node({ ...shared, secret, operatorSecret, listen, limits, localAddress, dir: await stage.dir() }))
  }
  const central = centralPeer({
    ...shared,
    secret: drawn.centralSecret,
    operatorSecret: drawn.centralOperatorSecret,
    dir: await stage.dir(),
  })
  // Start the nodes in turn, because replicas that start together on a busy machine may each make a seed.
  for (const node of nodes) await node.start()
  await central.start()
  await until(() => nodes.every(isServing) && central.status().state === 'serving')
  ends.push(() => central.stop())
}, 300_000)
const ends: (() => Promise<unknown>)[] = []
afterAll(async () => {
  for (const end of ends) await end()
  await stage.end()
  for (const { shut, server } of gates) {
    shut()
    server.close()
  }
})

describe.each([
  [0.3, 0.999],
  [0.1, 0.9999],
])('with each node down by a chance of %d', (share, goal) => {
  it(`at least ${goal} of the syncs complete at the first try with each node down by a chance of ${share}`, async () => {
    const [rounds, people] = [Number(process.env.FAULTS_ROUNDS ?? 40), 25]
    let complete = 0
    let impossible = 0
    for (let round = 0; round < rounds; round++) {
      const down = gates.map(() => systemRandom(1)[0]! < share * 256)
      for (const [i, { shut, open }] of gates.entries()) down[i] ? shut() : open()
      for (let i = 0; i < people; i++) complete += Number(await syncOnce(round * people + i))
      impossible += Number(down.every(Boolean))
    }
    const all = rounds * people
    process.stdout.write(
      `${share * 100} % down, R = ${REPLICAS}: ${complete} of ${all} syncs, ${impossible} rounds all down\n`,
    )
    expect(complete / all).toBeGreaterThanOrEqual(goal)
  })
})

/** Syncs a new person who stayed at one place. Resolves with whether every risk point was salted and deposited. */
async function syncOnce(n: number): Promise<boolean> {
  const localAddress = `127.${60 + Math.floor(n / 60_000)}.${1 + (Math.floor(n / 250) % 250)}.${1 + (n % 250)}`
  const tracer = await createTracer({
    federation: manifest,
    core,
    clock,
    storage: memoryStorage(),
    dialer: libp2pDialer({ localAddress }),
    redaction: false,
  })
  try {
    const [lat, lng] = [40 + (n % 100) / 10, -5 + (Math.floor(n / 100) % 100) / 10]
    for (const minutes of [40, 30, 20]) {
      await tracer.record({ lat, lng, accuracyM: 5, at: clock.now() - minutes * MINUTE_MS })
    }
    const result = await tracer.sync()
    return result.fixesLost === 0 && result.fixesDeferred === 0 && result.rowsDeposited === result.points
  } catch {
    return false
  } finally {
    await tracer.close()
  }
}

interface Gate {
  server: Server
  open(): void
  /** Ends all connections and accepts no new ones. */
  shut(): void
}

async function gate(port: number, to: number): Promise<Gate> {
  const sockets = new Set<Socket>()
  let isOpen = true
  const server = createServer((socket) => {
    socket.on('error', () => {})
    if (!isOpen) {
      socket.resetAndDestroy()
      return
    }
    const onward = connect(to, '127.0.0.1')
    for (const item of [socket, onward]) {
      sockets.add(item)
      item.on('error', () => {})
      item.once('close', () => {
        sockets.delete(item)
        socket.destroy()
        onward.destroy()
      })
    }
    socket.pipe(onward)
    onward.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    server,
    open: () => {
      isOpen = true
    },
    shut: () => {
      isOpen = false
      for (const socket of sockets) socket.resetAndDestroy()
    },
  }
}
