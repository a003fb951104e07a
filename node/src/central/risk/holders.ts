/**
 * The sources that hold a hash in one epoch. PROTOCOL.md §8. Pure. Where one match crosses the threshold, a few sources
 * stand for all. Any two that count for a target give the same marks and the same arrivals. A hash that hundreds of
 * people hold then needs no more memory than a hash of three.
 */
import { LAG_CURRENT, LAG_NEXT, type Row } from '@geotrace/core-wasm/wire'
import type { User } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'

/** A user that may infect others, with the epoch from which that holds. */
export interface Source {
  readonly user: User
  readonly from: number
  /** The user before this one on the earliest chain. For that user as a target, `otherFrom` counts instead of `from`. */
  readonly via: User
  /** The earliest epoch over a chain through any other user. */
  readonly otherFrom: number
}
interface Holder {
  readonly source: Source
  /** 0: the source was there in the hash's block. 1: only in the block before. */
  readonly lag: 0 | 1
  /** The block size that the source's row names. */
  readonly size: number
}
/** Keys are hashes. A single holder needs no list. */
export type HeldHashes = Map<string, Holder | Holder[]>

/** Holders of one lag and size that are enough for any target. */
const ENOUGH = 2

/** Adds the rows of a source in an epoch. With `isPruned`, leaves out holders that others stand for. */
export function holdRows(
  held: HeldHashes,
  { source, epoch, rows, isPruned }: { source: Source; epoch: number; rows: readonly Row[]; isPruned: boolean },
): void {
  const holders = new Map<number, Holder>()
  for (const { hash, lags, size } of rows) {
    if ((lags & (LAG_CURRENT | LAG_NEXT)) === 0) continue
    const lag = (lags & LAG_CURRENT) !== 0 ? 0 : 1
    // The rows of a source share a few holders.
    const holder = holders.get(2 * size + lag) ?? { source, lag, size }
    holders.set(2 * size + lag, holder)
    if (!isCounting(holder, source.from, epoch)) continue
    const key = hashToKey(hash)
    const known = held.get(key)
    if (known === undefined) held.set(key, holder)
    else if (!isPruned || isNeeded(toList(known), holder, epoch)) {
      if (Array.isArray(known)) known.push(holder)
      else held.set(key, [known, holder])
    }
  }
}

export function toList(held: Holder | Holder[] | undefined): readonly Holder[] {
  if (held === undefined) return NOBODY
  return Array.isArray(held) ? held : [held]
}

/** Whether the holder's row counts for this target in this epoch. */
export function countsFor(holder: Holder, target: User, epoch: number): boolean {
  const { user, via, from, otherFrom } = holder.source
  return user !== target && isCounting(holder, via === target ? otherFrom : from, epoch)
}

const NOBODY: readonly Holder[] = []

/** A current row counts from the source's epoch on, a next-only row after that epoch. */
function isCounting({ lag }: Holder, from: number, epoch: number): boolean {
  return lag === 0 ? epoch >= from : epoch > from
}

/** Whether some target has too few holders without this one. Only a holder itself and its `via` can be such a target. */
function isNeeded(known: readonly Holder[], holder: Holder, epoch: number): boolean {
  const alike = known.filter(({ lag, size }) => lag === holder.lag && size === holder.size)
  if (alike.length < ENOUGH) return true
  const special = alike.flatMap(({ source }) => [source.user, source.via])
  return special.some((target) => {
    if (!countsFor(holder, target, epoch)) return false
    let counting = 0
    for (const item of alike) if (countsFor(item, target, epoch)) counting++
    return counting < ENOUGH
  })
}
