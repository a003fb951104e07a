/** Converts between times, epochs and UTC days since 1970, the unit of retention. A day has 18 epochs. PROTOCOL.md §8. Pure. */
import { DAY_MS, EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'

export function epochToDay(epoch: number): number {
  return Math.floor(epoch / EPOCHS_PER_DAY)
}

export function timeToDay(atMs: number): number {
  return Math.floor(atMs / DAY_MS)
}

export function dayToFirstEpoch(day: number): number {
  return day * EPOCHS_PER_DAY
}

export function dayToEpochs(day: number): number[] {
  return Array.from({ length: EPOCHS_PER_DAY }, (_, i) => dayToFirstEpoch(day) + i)
}

/** The items of each day, in their order. */
export function byDay<T extends { epoch: number }>(items: readonly T[]): Map<number, T[]> {
  const days = new Map<number, T[]>()
  for (const item of items) {
    const day = epochToDay(item.epoch)
    const known = days.get(day)
    if (known === undefined) days.set(day, [item])
    else known.push(item)
  }
  return days
}
