/** Time blocks and epochs. PROTOCOL.md §3.4. Every size divides an epoch, so a block lies in exactly one epoch. */
import type { BlockSize, TimeBlock } from '../domain.ts'
import { BLOCK_SIZES_MIN, EPOCH_MIN, MINUTE_MS } from '../wire/constants.ts'
import type { Instance } from './instance.ts'

/** Largest n of a time block. It has 32 bits in a risk hash and on the wire. */
export const BLOCK_MAX = 0xffffffff

/** From this time on (Unix ms, the year 42,807), n + 1 of the smallest size exceeds `BLOCK_MAX`. Exclusive bound. */
export const TIME_LIMIT_MS = BLOCK_MAX * BLOCK_SIZES_MIN[0] * MINUTE_MS

/** The ten blocks of a fix at `at` (Unix ms): sizes ascending, for each size the current block and the next. */
export function timeToBlocks(core: Instance, at: number): TimeBlock[] {
  assertTime(at)
  return BLOCK_SIZES_MIN.flatMap((size): TimeBlock[] => {
    const n = core.call.timeToBlock(at, size) >>> 0
    return [
      { size, n, lag: 0 },
      { size, n: n + 1, lag: 1 },
    ]
  })
}

/** The epoch that holds block `n` of `size` minutes. */
export function epochOf(size: number, n: number): number {
  return Math.floor((n * size) / EPOCH_MIN)
}

export function isBlockSize(size: number): size is BlockSize {
  return (BLOCK_SIZES_MIN as readonly number[]).includes(size)
}

/** Throws TypeError or RangeError unless `at` is a time that has blocks, Unix ms. */
export function assertTime(at: number): void {
  if (typeof at !== 'number') throw new TypeError(`"at" expected a number, got ${typeof at}`)
  if (!(at >= 0 && at < TIME_LIMIT_MS)) throw new RangeError(`"at" expected 0..${TIME_LIMIT_MS} (exclusive), got ${at}`)
}
