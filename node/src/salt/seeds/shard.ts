/**
 * The state of one shard that a node replicates in one period: its parts, their lines, and the sheet. PROTOCOL.md §4.7,
 * §5.7. The seeds themselves are in the seed keeper only.
 */
import { parts } from '@geotrace/core-wasm/voprf'
import { equalBytes, type PeerAddress, type Roster, type SignedSheet, shardToReplicas } from '@geotrace/core-wasm/wire'
import type { SheetTree } from '../sheets/sheet-tree.ts'
import type { SeedClaim } from './seed-rule.ts'

/** Another replica of a shard. */
export interface Replica extends PeerAddress {
  /** Place among the replicas. A replica of a lower rank makes seeds first, and its seeds go first. */
  readonly rank: number
}
/** All lines of a part, with the signature of the maker of its seed. They are public. */
export interface SignedLines extends SeedClaim {
  readonly signature: Uint8Array
  /** 32 bytes for each epoch of the sheet. */
  readonly lines: Uint8Array
}
/** A part of the shard. Its index among the parts names it. */
export interface ShardPart {
  readonly part: number
  /** Ranks, ascending. */
  readonly members: readonly number[]
  /** Whether this node is a member. */
  readonly isOwn: boolean
  /** The lines by which this node goes. Before the certificate an own part has lines only while its seed is held. */
  lines: SignedLines | undefined
  /** Before the certificate, of a part of others: the lines by which its members go, by rank. */
  readonly said: Map<number, SignedLines>
  /** Before the certificate, of an own part: lines whose seeds others replaced. The keeper has these seeds too. */
  spares: readonly SignedLines[]
}
/** A sheet that is certified, that this node signed before a restart, or that others signed. */
export interface Target {
  readonly root: Uint8Array
  /** The lines of all parts that lead to the root. */
  readonly lines: readonly SignedLines[]
  /** Whether an honest replica must be among those that signed it. */
  readonly isProven: boolean
}
export interface Shard {
  readonly shard: number
  readonly rank: number
  readonly otherReplicas: readonly Replica[]
  readonly parts: readonly ShardPart[]
  /** The tree over the lines of all parts; undefined while one is missing, or while the certificate names another root. */
  tree: SheetTree | undefined
  target: Target | undefined
  signed: SignedSheet | undefined
  /** The root on disk, or about to be. No other sheet is signed in this period, and no seed made. */
  bound: Uint8Array | undefined
  /** Since when a replica that answers states another root or none, Unix ms. */
  disputedMs: number | undefined
  /** A seed is missing and no reachable replica had one. Logged once. */
  isLost: boolean
}

export function toShard(roster: Roster, shard: number, key: Uint8Array): Shard {
  const replicas = shardToReplicas(roster, shard).map(({ key: other, addresses }, rank) => ({
    ...{ key: other, addresses, rank },
  }))
  const isSelf = (item: { key: Uint8Array }): boolean => equalBytes(item.key, key)
  const rank = replicas.findIndex(isSelf)
  return {
    shard,
    rank,
    otherReplicas: replicas.filter((item) => !isSelf(item)),
    parts: parts(replicas.length, roster.threshold).map((members, part) => ({
      ...{ part, members, isOwn: members.includes(rank), lines: undefined, said: new Map(), spares: [] },
    })),
    tree: undefined,
    target: undefined,
    signed: undefined,
    bound: undefined,
    disputedMs: undefined,
    isLost: false,
  }
}

/** The parts of which both this node and a replica are members. */
export function sharedParts(shard: Shard, { rank }: Pick<Replica, 'rank'>): number[] {
  return ownParts(shard)
    .filter(({ members }) => members.includes(rank))
    .map(({ part }) => part)
}

/** The parts whose seeds this node keeps. */
export function ownParts({ parts: all }: Shard): ShardPart[] {
  return all.filter(({ isOwn }) => isOwn)
}
