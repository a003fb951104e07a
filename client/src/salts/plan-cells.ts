/**
 * Plans which cell keys to request from which shard. Pure. PROTOCOL.md §5.10, §7.7. The cells needed for an epoch become
 * batches by (roster, shard); all epochs of a request have the same number of elements, a batch class of the manifest.
 */
import type { Core, NeededSecrets } from '@geotrace/core-wasm'
import { EPOCH_MS, EPOCHS_PER_ANSWER_MAX, rosterName, SALT_WINDOW_MS } from '@geotrace/core-wasm/wire'
import type { RosterOf, SecretRequest, WantedSecret } from './salting.ts'

type CellSecrets = Extract<NeededSecrets, { salting: 'threshold' }>

/** The key of a cell for an epoch. Its name is `roster/shard/epoch/cell`. */
export interface WantedKey extends WantedSecret {
  readonly cell: bigint
}

/** The key of each entry of `needed`; undefined where no roster is known. */
export function neededToKeys(
  needed: CellSecrets,
  rosterOf: RosterOf,
  core: Pick<Core, 'cellToRegion' | 'regionToShard'>,
): (WantedKey | undefined)[] {
  return Array.from({ length: needed.count }, (_, i) => {
    const cell = needed.cells[i]!
    const epoch = needed.epochs[i]!
    const certified = rosterOf(epoch)
    if (certified === undefined) return undefined
    const shard = core.regionToShard(core.cellToRegion(cell), certified.roster.shards)
    const untilMs = (epoch + 1) * EPOCH_MS + SALT_WINDOW_MS
    const name = `${rosterName(certified)}/${shard}/${epoch}/${cell.toString(16)}`
    return { certified, shard, epoch, untilMs, cell, name }
  })
}

/** The batch class for requests in which an epoch has at most `count` cells. */
export function toBatch(classes: readonly number[], count: number): number {
  return classes.find((size) => size >= count) ?? classes.at(-1)!
}

/**
 * The requests for every key of `wanted`. Their number, epochs and batches depend only on how many cells each epoch needs.
 * So two devices that move alike ask alike.
 */
export function planCells(wanted: Iterable<WantedKey>, classes: readonly number[]): SecretRequest<WantedKey>[] {
  const distinct = new Map([...wanted].map((key) => [key.name, key]))
  const groups = new Map<string, WantedKey[]>()
  for (const key of distinct.values()) {
    const group = `${rosterName(key.certified)}/${key.shard}`
    groups.set(group, [...(groups.get(group) ?? []), key])
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([, keys]) => splitCells(keys, classes))
}

/** Requests of one shard: each takes a batch of every epoch that has cells left, the oldest epochs first. */
function splitCells(keys: readonly WantedKey[], classes: readonly number[]): SecretRequest<WantedKey>[] {
  const left = new Map<number, WantedKey[]>()
  for (const key of [...keys].sort((a, b) => a.epoch - b.epoch)) {
    left.set(key.epoch, [...(left.get(key.epoch) ?? []), key])
  }
  const requests: SecretRequest<WantedKey>[] = []
  while (left.size > 0) {
    const epochs = [...left].slice(0, EPOCHS_PER_ANSWER_MAX)
    const batch = toBatch(classes, Math.max(...epochs.map(([, own]) => own.length)))
    const wanted = epochs.flatMap(([, own]) => own.splice(0, batch))
    for (const [epoch, own] of epochs) if (own.length === 0) left.delete(epoch)
    requests.push({ certified: wanted[0]!.certified, shard: wanted[0]!.shard, wanted })
  }
  return requests
}
