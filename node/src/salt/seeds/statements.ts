/**
 * The signatures of the makers of seeds. PROTOCOL.md §4.7, §4.10. A maker signs the hash of its part's lines. Two signed
 * hashes of one maker for one part and period are evidence against it, also when other replicas handed them over.
 */
import {
  type Evidence,
  equalBytes,
  isValidSignature,
  partLinesToHash,
  type Roster,
  type Signer,
  seedContent,
  shardToReplicas,
  signContent,
} from '@geotrace/core-wasm/wire'
import type { Shard, ShardPart, SignedLines } from './shard.ts'

export interface Statements {
  keyOf(shard: Shard, rank: number): Uint8Array
  /** This node made a seed of the part, and these are all its lines. */
  sign(shard: Shard, part: ShardPart, lines: Uint8Array): SignedLines
  /** Whether a member of the part made these lines and signed them. Publishes evidence when it signed others before. */
  check(shard: Shard, part: ShardPart, lines: SignedLines): boolean
}

type Signed = Pick<SignedLines, 'hash' | 'signature'>

interface StatementsInit {
  /** The roster of the period. */
  roster: Roster
  signer: Signer
  isConvicted(key: Uint8Array): boolean
  accuse(evidence: Evidence): void
}

/** The statements about the seeds of one period. */
export function statements({ roster, signer, isConvicted, accuse }: StatementsInit): Statements {
  const { federation, previous, firstEpoch } = roster
  /** The first statement of each maker by shard, part and rank. Every entry has a valid signature of a member. */
  const first = new Map<string, Signed>()

  const keyOf = ({ shard }: Shard, rank: number): Uint8Array => shardToReplicas(roster, shard)[rank]!.key
  const contentOf = ({ shard }: Shard, { part }: ShardPart, hash: Uint8Array): Uint8Array =>
    seedContent({ federation, previous, shard, firstEpoch, part, hash })
  return {
    keyOf,
    sign(shard, part, lines) {
      const hash = partLinesToHash(lines)
      const signature = signContent(signer, 'geotrace/seed', contentOf(shard, part, hash))
      return { maker: shard.rank, hash, signature, lines }
    },
    check(shard, part, { maker, hash, signature }) {
      if (!part.members.includes(maker)) return false
      const key = keyOf(shard, maker)
      if (!isValidSignature(key, 'geotrace/seed', contentOf(shard, part, hash), signature)) return false
      const name = `${shard.shard} ${part.part} ${maker}`
      const before = first.get(name)
      if (before === undefined) first.set(name, { hash, signature })
      else if (!equalBytes(before.hash, hash) && !isConvicted(key)) {
        const about = { federation, previous, shard: shard.shard, firstEpoch, part: part.part }
        accuse({ kind: 'seeds', key, ...about, first: before, second: { hash, signature } })
      }
      return true
    },
  }
}
