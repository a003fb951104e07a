/**
 * Plans which salts to request from which shard. Pure. PROTOCOL.md §7.1. Secrets needed by region become requests by (roster,
 * shard). A region lies in one shard, and a shard has one salt for a time block.
 */
import type { NeededSecrets } from '@geotrace/core-wasm'
import {
  type Block,
  blockToEpoch,
  type CertifiedRoster,
  compareBlocks,
  EPOCHS_PER_ANSWER_MAX,
  rosterInForce,
  rosterName,
  SALTS_PER_REQUEST_MAX,
} from '@geotrace/core-wasm/wire'

export type PlainSecrets = Extract<NeededSecrets, { salting: 'plain' }>

/** Names one salt: `roster/shard/size/n`. */
export type SaltName = string

/** A salt that a sync needs. */
export interface WantedSalt extends Block {
  name: SaltName
  certified: CertifiedRoster
  shard: number
}

export interface PlannedRequest {
  certified: CertifiedRoster
  shard: number
  /** Distinct, ascending, at most 90 in at most 5 epochs. */
  blocks: WantedSalt[]
}

/** The salt of each entry of `needed`; undefined where no roster is in force. */
export function neededToSalts(
  needed: PlainSecrets,
  rosters: readonly CertifiedRoster[],
  regionToShard: (region: number, shards: number) => number,
): (WantedSalt | undefined)[] {
  return Array.from({ length: needed.count }, (_, i) => {
    const size = needed.sizes[i]!
    const n = needed.blocks[i]!
    const certified = rosterInForce(rosters, blockToEpoch(size, n))
    if (certified === undefined) return undefined
    const shard = regionToShard(needed.regions[i]!, certified.roster.shards)
    return { certified, shard, size, n, name: `${rosterName(certified)}/${shard}/${size}/${n}` }
  })
}

/** The requests for every salt of `wanted`. Their order and split depend on `wanted` only, so two devices look alike. */
export function planRequests(wanted: Iterable<WantedSalt>): PlannedRequest[] {
  const distinct = new Map([...wanted].map((salt) => [salt.name, salt]))
  const groups = new Map<string, WantedSalt[]>()
  for (const salt of distinct.values()) {
    const group = `${rosterName(salt.certified)}/${salt.shard}`
    groups.set(group, [...(groups.get(group) ?? []), salt])
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, salts]) => splitBlocks(salts.sort(compareBlocks)))
    .map((blocks) => ({ certified: blocks[0]!.certified, shard: blocks[0]!.shard, blocks }))
}

/** As few runs as the bounds of one request allow. */
function splitBlocks(blocks: readonly WantedSalt[]): WantedSalt[][] {
  const runs: { blocks: WantedSalt[]; epochs: Set<number> }[] = []
  for (const block of blocks) {
    const epoch = blockToEpoch(block.size, block.n)
    const run = runs.find(
      (item) =>
        item.blocks.length < SALTS_PER_REQUEST_MAX &&
        (item.epochs.has(epoch) || item.epochs.size < EPOCHS_PER_ANSWER_MAX),
    )
    if (run === undefined) runs.push({ blocks: [block], epochs: new Set([epoch]) })
    else {
      run.blocks.push(block)
      run.epochs.add(epoch)
    }
  }
  return runs.map((run) => run.blocks)
}
