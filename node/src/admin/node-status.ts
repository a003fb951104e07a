/**
 * The status of a salt node. The page, `geotrace status`, /healthz and /metrics all show this record. node/README.md,
 * "Operating". The record has counts, times and the names of operators; no field names a requester or a place.
 */
import type { Joining } from '../membership/joining.ts'
import type { HostStats } from '../net/protocol.ts'

/** The first line of the answer of /healthz; only `serving` is healthy. */
export type Health =
  | 'serving'
  | 'joining'
  | 'waiting'
  | 'draining'
  | 'leaving'
  | 'stopped'
  | 'seeds-missing'
  | 'clock-skewed'
  | 'roster-ended'
  | 'disk-full'
  | 'strayed'
  | 'forked'

export interface Hint {
  readonly level: 'warn' | 'fail'
  /** The problem; text between backticks is code. */
  readonly what: string
  /** The next step for the volunteer. */
  readonly next: string
}

/** How devices get their secrets from this node. */
export interface SaltingStatus {
  readonly kind: 'plain' | 'threshold'
  /** Replicas that must answer, and replicas of a shard. */
  readonly threshold: number
  readonly replicas: number
  /** Devices that one address may have: it multiplies the quota of evaluations. */
  readonly devicesPerAddress: number
}

/** Evaluations of one shard and epoch. */
interface EvaluationStatus {
  readonly shard: number
  /** The start of the epoch, Unix ms. */
  readonly fromMs: number
  /** Rounded up, so that no single device shows. */
  readonly atMost: number
}

interface Reach {
  readonly asked: number
  readonly answered: number
  readonly strayed: readonly string[]
  readonly atMs: number
}

/** Counts of a quarter of an hour. */
export interface Span {
  /** Unix ms. */
  readonly fromMs: number
  readonly answered: number
  readonly refused: number
}

export interface RosterStatus {
  readonly height: number
  readonly name: string
  readonly fromMs: number
  readonly untilMs: number
  readonly reserveUntilMs: number
}

/** The part of a node in sealed syncs. */
export interface RelayStatus {
  /** Frames of devices that the central peer answered, and those that were refused here or there. */
  readonly passed: number
  readonly refused: number
  /** Whether a connection to the central peer is open. */
  readonly isLinked: boolean
  /** The central peer's seal key in the newest roster, hex. */
  readonly seal: string
  /** The central peer opens frames under this key at least until then, Unix ms. */
  readonly sealedUntilMs: number
}

/** The parts of a node in the next period, and those that it lacks. */
export interface NextPeriod {
  /** When devices begin to ask for salts of the period, Unix ms. */
  readonly neededMs: number
  readonly parts: number
  readonly missing: readonly { shard: number; parts: number }[]
}

/** The number of parts that the node lacks. */
export function missingParts({ missing }: Pick<NextPeriod, 'missing'>): number {
  return missing.reduce((sum, { parts }) => sum + parts, 0)
}

/** A web app of the federation, compared with the release. Without `atMs` it is not checked yet. */
export interface AppCheck {
  readonly origin: string
  /** Unix ms. */
  readonly atMs?: number | undefined
  /** Files that are not those of the release, and the first of them; undefined when the app did not answer. */
  readonly differences?: number | undefined
  readonly first?: string | undefined
  readonly problem?: string | undefined
}
/** The release in the node's directory. Without `id` there is none, and no app is checked. */
export interface ReleaseStatus {
  /** Hex. */
  readonly id?: string
  /** Files of this installation that are not those of the release, and the first of them. */
  readonly differences?: number
  readonly first?: string
  readonly apps: readonly AppCheck[]
}

export interface NodeStatus {
  readonly version: string
  readonly node: string
  /** The name of the federation, and the first 16 hex digits of its id. */
  readonly federation: string
  readonly federationId: string
  readonly peerId: string
  readonly state: string
  readonly health: Health
  readonly hints: readonly Hint[]
  readonly nowMs: number
  readonly uptimeMs: number
  /** The roster in force; before the first one begins, that one. */
  readonly roster: RosterStatus | undefined
  /** A certified roster that has not begun. */
  readonly nextRoster: RosterStatus | undefined
  /** Undefined for a node that the roster in force names. */
  readonly joining: Joining | undefined
  /** Shards in the federation, from the newest roster; 0 without a roster. */
  readonly shardCount: number
  /** The shards that the roster assigns to this node, and whether their seed is here. */
  readonly shards: readonly { shard: number; held: boolean }[]
  /** Undefined until the operators begin to agree on the next roster. */
  readonly nextPeriod: NextPeriod | undefined
  /** Shards whose seed this node holds while no other replica of them is linked. */
  readonly soleShards: readonly number[]
  /** Undefined without a roster. */
  readonly relay: RelayStatus | undefined
  /** Peers of this federation that answered the last check, and operators whose peers run another federation. */
  readonly reach: Reach | undefined
  readonly clockOffsetMs: number
  readonly salting: SaltingStatus
  /** Evaluations since the start, the most first; none under `plain`. */
  readonly evaluations: readonly EvaluationStatus[]
  /** Evaluations that this node makes for one shard and epoch; undefined without a roster. */
  readonly evaluationsMax: number | undefined
  /** Requests of devices answered since the start. */
  readonly answered: number
  /** Requests of devices refused since the start, by error code. */
  readonly refused: Readonly<Record<string, number>>
  /** Entries in the quota table. One requester has an entry for each shard, and so has its network. */
  readonly quotaEntries: number
  readonly network: HostStats
  readonly connectionsMax: number
  readonly memoryBytes: number
  readonly memoryMaxBytes: number
  /** Free space on the disk of the node's directory. */
  readonly diskFreeBytes: number
  /** SHA-256 of the running core build in hex, and whether the newest roster pins that build. */
  readonly core: { readonly sha256: string; readonly pinned: boolean }
  readonly release: ReleaseStatus
  /** Whether this node votes now: it has its operator's key, and the newest roster names the operator. */
  readonly votes: boolean
  /** The last day or the time since the start, whichever is shorter; oldest first. */
  readonly history: readonly Span[]
}
