/**
 * Plans which salts to request from which shard. Pure. PROTOCOL.md §7.1. Secrets needed by region become requests by (roster,
 * shard). A region lies in one shard, and a shard has one salt for a time block.
 */
import type { NeededSecrets } from '@geotrace/core-wasm'
import {
  type Block,
  blockToEpoch,
  compareBlocks,
  EPOCHS_PER_ANSWER_MAX,
  MINUTE_MS,
  rosterName,
  SALT_WINDOW_MS,
  SALTS_PER_REQUEST_MAX,
} from '@geotrace/core-wasm/wire'
import type { RosterOf, SecretRequest, WantedSecret } from './salting.ts'

type PlainSecrets = Extract<NeededSecrets, { salting: 'plain' }>

/** The salt of a time block. Its name is `roster/shard/size/n`. */
export interface WantedSalt extends Block, WantedSecret {}

/** The salt of each entry of `needed`; undefined where no roster is known. */
export function neededToSalts(
  needed: PlainSecrets,
  rosterOf: RosterOf,
  regionToShard: (region: number, shards: number) => number,
): (WantedSalt | undefined)[] {
  return Array.from({ length: needed.count }, (_, i) => {
    const size = needed.sizes[i]!
    const n = needed.blocks[i]!
    const epoch = blockToEpoch(size, n)
    const certified = rosterOf(epoch)
    if (certified === undefined) return undefined
    const shard = regionToShard(needed.regions[i]!, certified.roster.shards)
    const untilMs = (n + 1) * size * MINUTE_MS + SALT_WINDOW_MS
    return { certified, shard, epoch, untilMs, size, n, name: `${rosterName(certified)}/${shard}/${size}/${n}` }
  })
}

/**
 * The requests for every salt of `wanted`, each with at most 90 distinct ascending blocks in at most 5 epochs. Their order
 * and split depend on `wanted` only, so two devices look alike.
 */
export function planRequests(wanted: Iterable<WantedSalt>): SecretRequest<WantedSalt>[] {
  const distinct = new Map([...wanted].map((salt) => [salt.name, salt]))
  const groups = new Map<string, WantedSalt[]>()
  for (const salt of distinct.values()) {
    const group = `${rosterName(salt.certified)}/${salt.shard}`
    groups.set(group, [...(groups.get(group) ?? []), salt])
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, salts]) => splitBlocks(salts.sort(compareBlocks)))
    .map((salts) => ({ certified: salts[0]!.certified, shard: salts[0]!.shard, wanted: salts }))
}

/** As few runs as the bounds of one request allow. */
function splitBlocks(blocks: readonly WantedSalt[]): WantedSalt[][] {
  const runs: { blocks: WantedSalt[]; epochs: Set<number> }[] = []
  for (const block of blocks) {
    const { epoch } = block
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
