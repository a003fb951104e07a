/**
 * What a node tells its volunteer: the page, `geotrace status`, /healthz and /metrics are drawings of this one record.
 * README "Operating". Counts and times only; nothing here says who asked, or for where.
 */
import type { HostStats } from '../net/protocol.ts'

/** One word for a probe; `serving` is the only healthy one. */
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
  readonly what: string
  /** What to do about it. */
  readonly next: string
}

/** A quarter of an hour. */
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
  /** N of the roster. */
  readonly shardCount: number
  /** Those of this node. */
  readonly shards: readonly { shard: number; held: boolean }[]
  readonly reach: { readonly asked: number; readonly answered: number; readonly atMs: number } | undefined
  readonly clockOffsetMs: number
  /** Salt requests since the start. */
  readonly answered: number
  /** Salt requests since the start that were turned away, by error code. */
  readonly refused: Readonly<Record<string, number>>
  /** Requesters remembered for their quota. */
  readonly requesters: number
  readonly network: HostStats
  readonly connectionsMax: number
  readonly memoryBytes: number
  readonly memoryMaxBytes: number
  /** SHA-256 of the core that runs, and whether the newest roster pins it. */
  readonly core: { readonly sha256: string; readonly pinned: boolean }
  /** Whether this node has its operator's vote. */
  readonly votes: boolean
  /** The last day, oldest first; since the start only. */
  readonly history: readonly Span[]
}
