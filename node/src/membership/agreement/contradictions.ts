/**
 * Two signed statements of one peer that contradict each other, as evidence. PROTOCOL.md §4.10. Pure. The signatures were
 * checked before.
 */
import { type Evidence, equalBytes, type GossipVote, type Proposal, type SignedSheet } from '@geotrace/core-wasm/wire'

/** The fields that all sheets of one peer and period have in common. */
interface SheetHead {
  readonly federation: Uint8Array
  readonly previous: Uint8Array
  readonly firstEpoch: number
  readonly epochs: number
}
interface MergedSheets {
  /** One sheet a shard, the one that was known first. */
  readonly sheets: SignedSheet[]
  readonly hasNew: boolean
  readonly evidence: Evidence[]
}

/** Adds sheets that this peer signed. A root that contradicts the known one is evidence against it. */
export function mergeSheets(
  key: Uint8Array,
  head: SheetHead,
  known: readonly SignedSheet[],
  fresh: readonly SignedSheet[],
): MergedSheets {
  const byShard = new Map(known.map((sheet) => [sheet.shard, sheet]))
  const evidence: Evidence[] = []
  for (const sheet of fresh) {
    const first = byShard.get(sheet.shard)
    if (first === undefined) byShard.set(sheet.shard, sheet)
    else if (!equalBytes(first.root, sheet.root)) {
      const { shard, root, signature } = first
      const second = { root: sheet.root, signature: sheet.signature }
      evidence.push({ kind: 'sheets', key, ...head, shard, first: { root, signature }, second })
    }
  }
  return { sheets: [...byShard.values()], hasNew: byShard.size > known.length, evidence }
}

export function twoVotes(federation: Uint8Array, key: Uint8Array, first: GossipVote, second: GossipVote): Evidence {
  return { kind: 'votes', key, federation, first: toBallot(first), second: toBallot(second) }
}

/** The pool keeps proposals of one height only, so both have that of the first. */
export function twoProposals(federation: Uint8Array, key: Uint8Array, first: Proposal, second: Proposal): Evidence {
  const { height, firstEpoch } = first
  const [one, two] = [toProposed(first), toProposed(second)]
  return { kind: 'proposals', key, federation, height, firstEpoch, first: one, second: two }
}

function toProposed({ hash, holder, operator, signature }: Proposal) {
  return { hash, holder, operator, signature }
}

function toBallot({ height, firstEpoch, hash, signature }: GossipVote) {
  return { height, firstEpoch, hash, signature }
}
