/** Rows by epoch: what several syncs of one user have together. PROTOCOL.md §8. Pure. */
import { ROW_BYTES } from '@geotrace/core-wasm/wire'
import type { EpochRows } from './central-store.ts'
import { freshRows, mergeRows, NO_ROWS } from './row-set.ts'

/** One group of each epoch, ascending. */
export function joinGroups(groups: readonly EpochRows[]): EpochRows[] {
  const byEpoch = new Map<number, Uint8Array[]>()
  for (const { epoch, rows } of groups) byEpoch.set(epoch, [...(byEpoch.get(epoch) ?? []), rows])
  return [...byEpoch].sort(([a], [b]) => a - b).map(([epoch, lists]) => ({ epoch, rows: mergeRows(...lists) }))
}

/** The distinct rows of some groups. */
export function countRows(groups: readonly EpochRows[]): number {
  return joinGroups(groups).reduce((sum, { rows }) => sum + rows.length / ROW_BYTES, 0)
}

/** The part of the groups that is not held yet, and the number of its new rows. */
export function freshGroups(
  held: readonly EpochRows[],
  groups: readonly EpochRows[],
): { fresh: EpochRows[]; added: number } {
  const known = new Map(joinGroups(held).map(({ epoch, rows }) => [epoch, rows]))
  let added = 0
  const fresh = groups.flatMap(({ epoch, rows }) => {
    const found = freshRows(known.get(epoch) ?? NO_ROWS, rows)
    added += found.added
    return found.fresh.length === 0 ? [] : [{ epoch, rows: found.fresh }]
  })
  return { fresh, added }
}
