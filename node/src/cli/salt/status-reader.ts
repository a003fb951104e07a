/** Reads the status of a running salt node, for the control server, the page and the probes. node/README.md "Operating". */
import type { Clock } from '@geotrace/core-wasm'
import { EVALUATE_PROTOCOL, type Manifest, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { history } from '../../admin/history.ts'
import type { NodeStatus, ReleaseStatus } from '../../admin/node-status.ts'
import { strayedOperators } from '../../membership/clock-watch.ts'
import type { SaltNode } from '../../salt/node.ts'
import type { SaltNodeStatus } from '../../salt/node-status.ts'
import { federationName } from '../identity/federation-name.ts'
import { freeBytes } from '../process/disk.ts'
import { VERSION } from '../terminal/version.ts'
import { federationView } from './federation-view.ts'
import { nodeStatus } from './health.ts'
import { shardsNow } from './hints.ts'

/** TCP, Noise and yamux of a request on its own connection: 8.7 KB on the wire, 4.0 of them frames (2026-11, README). */
const REQUEST_OVERHEAD_BYTES = 4_700

interface StatusReaderInit {
  node: Pick<SaltNode, 'status' | 'membership' | 'key'>
  manifest: Manifest
  peerId: string
  dir: string
  abstainsUntilMs: number | undefined
  /** The release in the directory, and the checks of the web apps. */
  release(): ReleaseStatus
  connectionsMax: number
  memoryMaxBytes: number
  clock: Clock
}

/** A function that reads the status. Each call also adds the counters to the history of the last day. */
export function statusReader(init: StatusReaderInit): () => NodeStatus {
  const { node, manifest, peerId, dir, clock, release, ...rest } = init
  const day = history()
  const self = manifest.members.find((item) => item.peerId === peerId)
  const federationId = federationName(manifest)
  return () => {
    const status = node.status()
    const nowMs = clock.now()
    day.note({ answered: status.answered, refused: sum(status.refused) }, nowMs)
    const held = shardsNow(status, nowMs).flatMap((item) => (item.held ? [item.shard] : []))
    return nodeStatus({
      ...rest,
      status,
      version: VERSION,
      node: self?.operator ?? peerId.slice(-8),
      federation: manifest.name,
      parameters: manifest.parameters,
      federationId,
      view: federationView(node.membership(), node.key, held, nowMs),
      strayed: strayedOperators(status.reach, status.membership?.peers ?? []),
      nowMs,
      memoryBytes: memoryBytes(),
      diskFreeBytes: freeBytes(dir),
      history: day.spans,
      release: release(),
    })
  }
}

/** Bytes on the network for requests of devices since the start. */
export function saltTraffic({ network }: Pick<SaltNodeStatus, 'network'>): number {
  const stats = network.protocols[SALT_PROTOCOL.id] ?? network.protocols[EVALUATE_PROTOCOL.id]
  if (stats === undefined) return 0
  return stats.bytes + (stats.answered + sum(stats.refused)) * REQUEST_OVERHEAD_BYTES
}

/** Resident memory of this process. */
export function memoryBytes(): number {
  return process.memoryUsage.rss()
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
