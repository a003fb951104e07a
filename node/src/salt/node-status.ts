/**
 * The health of a salt node for operators and status pages: counts and public keys only. Pure functions of what the node
 * holds.
 */
import {
  bytesToHex,
  type CertifiedRoster,
  EPOCH_MS,
  effortSpan,
  epochToSecretSpan,
  hashToRosterName,
  isVacant,
  type Manifest,
} from '@geotrace/core-wasm/wire'
import type { PeerReach } from '../membership/clock-watch.ts'
import type { MembershipStatus } from '../membership/membership.ts'
import type { HostStats } from '../net/protocol.ts'
import type { EvaluationCount } from './evaluation-counts.ts'
import type { Holdings } from './holdings.ts'
import type { Shard } from './seeds/shard.ts'
import type { Shards } from './seeds/shards.ts'

/**
 * `joining`: no roster is known yet. `waiting`: no roster names this node. `seeds-missing`: a roster names the node, and it
 * lacks a seed that devices may ask for now.
 * `draining`: the node leaves the federation and serves the shards that it still holds. `leaving`: it is stopping.
 */
export type SaltNodeState = 'joining' | 'waiting' | 'seeds-missing' | 'serving' | 'draining' | 'leaving' | 'stopped'

export interface SaltNodeStatus {
  state: SaltNodeState
  peerId: string
  /** Unix ms; undefined before `start`. */
  startedMs: number | undefined
  /** The newest certified roster that is known here. */
  roster: RosterStatus | undefined
  /** SHA-256 of this node's core, hex. */
  core: string
  /** This node's shards in all certified rosters still in use, oldest roster first. */
  shards: ShardStatus[]
  /** The parts of this node in the next period; undefined while no shard of it is this node's. */
  nextPeriod: NextPeriodStatus | undefined
  membership: MembershipStatus | undefined
  /** This node's clock minus the median of its peers' clocks, ms. */
  clockOffsetMs: number
  /** How many peers answered the last comparison of clocks. */
  reach: PeerReach | undefined
  network: HostStats
  salting: Manifest['parameters']['salting']
  /** Evaluations since the start by shard and epoch, rounded, the most first; none under `plain`. */
  evaluations: EvaluationCount[]
  /** Requests of devices answered since the start. */
  answered: number
  /** Requests of devices refused since the start, by error code. */
  refused: Record<string, number>
  /** Entries in the quota table. One requester has an entry for each shard, and so has its network. */
  quotaEntries: number
}

interface RosterStatus {
  height: number
  name: string
  /** Unix ms. */
  fromMs: number
  /** Ends of the roster's period and of its reserve, Unix ms. The reserve counts while no later roster is certified. */
  untilMs: number
  reserveUntilMs: number
  /** SHA-256 of the two builds of the core that the roster pins, hex. */
  core: { simd: string; scalar: string }
  /** The number of shards, N. */
  shards: number
  /** Evaluations that a node makes for one shard and epoch. */
  evaluations: number
}
interface ShardStatus {
  firstEpoch: number
  shard: number
  /** Whether the node holds the seeds of all its parts, and the sheet. */
  held: boolean
}

export interface NextPeriodStatus {
  /** When devices begin to ask for salts of the period, Unix ms. */
  neededMs: number
  /** From this moment on a missing part is a fault: the roster is certified, or half of the effort for it has passed. */
  lateFromMs: number
  /** Parts of all shards of this node. */
  parts: number
  /** How many of them this node lacks, by shard: a seed of its own, or the lines of the other replicas. */
  missing: { shard: number; parts: number }[]
}

export function rosterStatus({ roster, hash }: CertifiedRoster): RosterStatus {
  const { height, firstEpoch, periodEpochs, reserveEpochs, core, shards, evaluationsPerShardEpoch } = roster
  return {
    height,
    name: bytesToHex(hashToRosterName(hash)),
    fromMs: firstEpoch * EPOCH_MS,
    untilMs: (firstEpoch + periodEpochs) * EPOCH_MS,
    reserveUntilMs: (firstEpoch + periodEpochs + reserveEpochs) * EPOCH_MS,
    core: { simd: bytesToHex(core.simd), scalar: bytesToHex(core.scalar) },
    shards,
    evaluations: evaluationsPerShardEpoch,
  }
}

/** The shards of rosters in force, without vacant ones, which no replica holds. */
export function shardStatuses(holdings: Pick<Holdings, 'inForce' | 'certified'>, nowMs: number): ShardStatus[] {
  return holdings.inForce(nowMs).flatMap((shards) => {
    const { firstEpoch, all } = shards
    // A roster that was due has no sheets; the certified one names the vacant shards.
    const roster = holdings.certified(firstEpoch)?.roster ?? shards.roster
    return all
      .filter(({ shard }) => !isVacant(roster, shard))
      .map((item) => ({ firstEpoch, shard: item.shard, held: shards.isWhole(item) }))
  })
}

/**
 * The shards of which the node lacks what devices may ask for now. The shards of a period whose secrets are not open yet
 * count only when the node has no others.
 */
export function lackedShards(shards: readonly ShardStatus[], nowMs: number): number[] {
  const open = shards.filter(({ firstEpoch }) => epochToSecretSpan(firstEpoch).from <= nowMs)
  const lacked = (open.length > 0 ? open : shards).filter(({ held }) => !held)
  return [...new Set(lacked.map(({ shard }) => shard))]
}

export function nextPeriodStatus(
  holdings: Pick<Holdings, 'coming' | 'certified'>,
  nowMs: number,
): NextPeriodStatus | undefined {
  const shards = holdings.coming(nowMs)
  if (shards === undefined) return undefined
  const { firstEpoch, roster } = shards
  const certified = holdings.certified(firstEpoch)?.roster
  const held = shards.all.filter(({ shard }) => certified === undefined || !isVacant(certified, shard))
  if (held.length === 0) return undefined
  const lacking = held.map((item) => ({ shard: item.shard, parts: missingParts(shards, item) }))
  return {
    neededMs: epochToSecretSpan(firstEpoch).from,
    lateFromMs: certified === undefined ? effortSpan(roster.periodEpochs, firstEpoch).signAnyFrom : 0,
    parts: held.reduce((sum, { parts }) => sum + parts.length, 0),
    missing: lacking.filter(({ parts }) => parts > 0),
  }
}

function missingParts(shards: Shards, shard: Shard): number {
  if (shards.isWhole(shard)) return 0
  const lacks = shard.parts.filter((part) => (part.isOwn ? !shards.holds(shard, part) : part.lines === undefined))
  // All parts may be here and lead to another sheet than the certified one.
  return Math.max(1, lacks.length)
}
