/**
 * The status of a salt node. The page, `geotrace status`, /healthz and /metrics all show this record. node/README.md,
 * "Operating". The record has counts and times only; no field names a requester or a place.
 */
import type { HostStats } from '../net/protocol.ts'

/** The answer of /healthz; only `serving` is healthy. */
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
  | 'forked'

export interface Hint {
  readonly level: 'warn' | 'fail'
  /** The problem; text between backticks is code. */
  readonly what: string
  /** The next step for the volunteer. */
  readonly next: string
}

/** Counts of a quarter of an hour. */
export interface Span {
  /** Unix ms. */
  readonly fromMs: number
  readonly answered: number
  readonly refused: number
}

export interface NodeStatus {
  readonly version: string
  readonly node: string
  readonly federation: string
  readonly peerId: string
  readonly state: string
  readonly health: Health
  readonly hints: readonly Hint[]
  readonly nowMs: number
  readonly uptimeMs: number
  readonly roster:
    | {
        readonly height: number
        readonly name: string
        readonly fromMs: number
        readonly untilMs: number
        readonly reserveUntilMs: number
      }
    | undefined
  /** Shards in the federation, from the newest roster; 0 without a roster. */
  readonly shardCount: number
  /** The shards that the roster assigns to this node, and whether their seed is here. */
  readonly shards: readonly { shard: number; held: boolean }[]
  readonly reach: { readonly asked: number; readonly answered: number; readonly atMs: number } | undefined
  readonly clockOffsetMs: number
  /** Salt requests answered since the start. */
  readonly answered: number
  /** Salt requests refused since the start, by error code. */
  readonly refused: Readonly<Record<string, number>>
  /** Requesters whose quota use is in memory. */
  readonly requesters: number
  readonly network: HostStats
  readonly connectionsMax: number
  readonly memoryBytes: number
  readonly memoryMaxBytes: number
  /** SHA-256 of the running core build in hex, and whether the newest roster pins that build. */
  readonly core: { readonly sha256: string; readonly pinned: boolean }
  /** Whether this node votes with its operator's key. */
  readonly votes: boolean
  /** The last day or the time since the start, whichever is shorter; oldest first. */
  readonly history: readonly Span[]
}
