/** Reads the status of a running salt node, for the control server, the page and the probes. node/README.md "Operating". */
import type { Clock } from '@geotrace/core-wasm'
import { type Manifest, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { history } from '../../admin/history.ts'
import type { NodeStatus } from '../../admin/node-status.ts'
import type { SaltNode, SaltNodeStatus } from '../../salt/node.ts'
import { VERSION } from '../terminal/version.ts'
import { nodeStatus } from './health.ts'

/** TCP, Noise and yamux of a request on its own connection: 8.7 KB on the wire, 4.0 of them frames (2026-11, README). */
const REQUEST_OVERHEAD_BYTES = 4_700

interface StatusReaderInit {
  node: Pick<SaltNode, 'status'>
  manifest: Manifest
  peerId: string
  hasVote: boolean
  abstainsUntilMs: number | undefined
  connectionsMax: number
  memoryMaxBytes: number
  clock: Clock
}

/** A function that reads the status. Each call also adds the counters to the history of the last day. */
export function statusReader(init: StatusReaderInit): () => NodeStatus {
  const { node, manifest, peerId, clock, ...rest } = init
  const day = history()
  const self = manifest.members.find((item) => item.peerId === peerId)
  return () => {
    const status = node.status()
    const nowMs = clock.now()
    day.note({ answered: status.answered, refused: sum(status.refused) }, nowMs)
    return nodeStatus({
      ...rest,
      status,
      version: VERSION,
      node: self?.operator ?? peerId.slice(-8),
      federation: manifest.name,
      nowMs,
      memoryBytes: memoryBytes(),
      history: day.spans,
    })
  }
}

/** Bytes on the network for salt requests since the start. */
export function saltTraffic({ network }: Pick<SaltNodeStatus, 'network'>): number {
  const stats = network.protocols[SALT_PROTOCOL.id]
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
