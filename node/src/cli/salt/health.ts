/**
 * The status of a salt node as its volunteer reads it: one word of health, the counters, and hints. node/README.md
 * "Operating". Pure.
 */
import { EPOCH_MS } from '@geotrace/core-wasm/wire'
import type { Health, NodeStatus } from '../../admin/node-status.ts'
import { SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { SaltNodeStatus } from '../../salt/node.ts'
import { type HintInit, isPinned, toHints } from './hints.ts'

interface StatusInit extends HintInit {
  version: string
  node: string
  federation: string
  connectionsMax: number
  hasVote: boolean
  history: NodeStatus['history']
}

export function nodeStatus(init: StatusInit): NodeStatus {
  const { status, version, node, federation, nowMs, connectionsMax, memoryBytes, memoryMaxBytes, history } = init
  const { roster, core } = status
  return {
    version,
    node,
    federation,
    peerId: status.peerId,
    state: status.state,
    health: toHealth(status, nowMs),
    hints: toHints(init),
    nowMs,
    uptimeMs: status.startedMs === undefined ? 0 : nowMs - status.startedMs,
    roster: roster && {
      height: roster.height,
      name: roster.name,
      fromMs: roster.fromMs,
      untilMs: roster.untilMs,
      reserveUntilMs: roster.reserveUntilMs,
    },
    shardCount: roster?.shards ?? 0,
    shards: shardsNow(status, nowMs),
    reach: status.reach,
    clockOffsetMs: status.clockOffsetMs,
    answered: status.answered,
    refused: status.refused,
    requesters: status.requesters,
    network: status.network,
    connectionsMax,
    memoryBytes,
    memoryMaxBytes,
    core: { sha256: core, pinned: isPinned(status) },
    votes: init.hasVote && init.abstainsUntilMs === undefined,
    history,
  }
}

/** The shards under the roster in force, or under the first roster before it begins. */
function shardsNow({ shards }: SaltNodeStatus, nowMs: number): SaltNodeStatus['shards'] {
  const begun = shards.filter(({ firstEpoch }) => firstEpoch * EPOCH_MS <= nowMs)
  const period = (begun.at(-1) ?? shards[0])?.firstEpoch
  return shards.filter(({ firstEpoch }) => firstEpoch === period)
}

function toHealth(status: SaltNodeStatus, nowMs: number): Health {
  const { state, roster, shards, clockOffsetMs, membership } = status
  if (membership?.isForked === true) return 'forked'
  if (state !== 'serving') return state
  if (Math.abs(clockOffsetMs) > SKEW_MAX_MS) return 'clock-skewed'
  if (roster !== undefined && nowMs >= roster.reserveUntilMs) return 'roster-ended'
  if (shards.some(({ held }) => !held)) return 'seeds-missing'
  return 'serving'
}
