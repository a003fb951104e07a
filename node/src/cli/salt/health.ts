/**
 * The status of a salt node as its volunteer reads it: one word of health, the counters, and hints. node/README.md
 * "Operating". Pure.
 */
import { EPOCH_MS, RELAY_PROTOCOL } from '@geotrace/core-wasm/wire'
import type { Health, NodeStatus } from '../../admin/node-status.ts'
import { parametersToSalting, type SaltingSource } from '../../admin/page/salting-words.ts'
import { SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { SaltNodeStatus } from '../../salt/node-status.ts'
import { DISK_FULL_BYTES } from '../process/disk.ts'
import { type HintInit, hasStrayed, isPinned, isSeated, shardsNow, toHints } from './hints.ts'

interface StatusInit extends HintInit {
  version: string
  node: string
  connectionsMax: number
  parameters: SaltingSource
  history: NodeStatus['history']
  release: NodeStatus['release']
}

export function nodeStatus(init: StatusInit): NodeStatus {
  const { status, version, node, nowMs, connectionsMax, memoryBytes, memoryMaxBytes, diskFreeBytes, history, release } =
    init
  const { federation, federationId, strayed, parameters } = init
  const { central, ...view } = init.view
  const { roster, core, reach } = status
  return {
    version,
    node,
    federation,
    federationId,
    peerId: status.peerId,
    state: status.state,
    health: toHealth(init),
    hints: toHints(init),
    nowMs,
    uptimeMs: status.startedMs === undefined ? 0 : nowMs - status.startedMs,
    ...view,
    votes: view.votes && init.abstainsUntilMs === undefined,
    shardCount: roster?.shards ?? 0,
    shards: shardsNow(status, nowMs),
    nextPeriod: toNextPeriod(status),
    relay: central && { ...central, ...relayCounts(status) },
    reach: reach && { asked: reach.asked, answered: reach.answered, strayed, atMs: reach.atMs },
    clockOffsetMs: status.clockOffsetMs,
    salting: parametersToSalting(parameters),
    evaluations: status.evaluations.map(({ shard, epoch, atMost }) => ({ shard, fromMs: epoch * EPOCH_MS, atMost })),
    evaluationsMax: roster?.evaluations,
    answered: status.answered,
    refused: status.refused,
    quotaEntries: status.quotaEntries,
    network: status.network,
    connectionsMax,
    memoryBytes,
    memoryMaxBytes,
    diskFreeBytes,
    core: { sha256: core, pinned: isPinned(status) },
    release,
    history,
  }
}

function relayCounts({ network }: SaltNodeStatus): { passed: number; refused: number } {
  const { answered = 0, refused = {} } = network.protocols[RELAY_PROTOCOL.id] ?? {}
  return { passed: answered, refused: Object.values(refused).reduce((sum, count) => sum + count, 0) }
}

function toNextPeriod({ nextPeriod }: SaltNodeStatus): NodeStatus['nextPeriod'] {
  if (nextPeriod === undefined) return undefined
  const { neededMs, parts, missing } = nextPeriod
  return { neededMs, parts, missing }
}

function toHealth(init: HintInit): Health {
  const { status, nowMs, diskFreeBytes } = init
  const { state, roster, clockOffsetMs, membership } = status
  if (membership?.isForked === true) return 'forked'
  if (hasStrayed(init)) return 'strayed'
  if (!isSeated(status)) return state
  if (Math.abs(clockOffsetMs) > SKEW_MAX_MS) return 'clock-skewed'
  if (diskFreeBytes < DISK_FULL_BYTES) return 'disk-full'
  if (roster !== undefined && nowMs >= roster.reserveUntilMs) return 'roster-ended'
  return state
}
