/**
 * The salt window: the time blocks that a salt node still answers for. PROTOCOL.md §5.3.
 * A salt of a block before the window is refused permanently, so that nobody can search an old block later.
 * Pure functions: the caller passes the time. `blockToPosition` throws RangeError.
 */
import {
  BLOCK_SIZES_MIN,
  EPOCH_CLOSES_AFTER_MS,
  EPOCH_MIN,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  MINUTE_MS,
  SALT_AHEAD_MS,
  SALT_WINDOW_MS,
} from './constants.ts'

type BlockState = 'open' | 'too-old' | 'too-new'

/** The state of the block (size in minutes, n) at `nowMs`. A block that still overlaps the window is open. */
export function blockToState(size: number, n: number, nowMs: number): BlockState {
  const sizeMs = size * MINUTE_MS
  const startMs = n * sizeMs
  if (startMs + sizeMs <= nowMs - SALT_WINDOW_MS) return 'too-old'
  // Lag 1 asks for the next block, which starts at most one size ahead.
  if (startMs > nowMs + sizeMs + SALT_AHEAD_MS) return 'too-new'
  return 'open'
}

export function isValidBlockSize(size: number): boolean {
  return (BLOCK_SIZES_MIN as readonly number[]).includes(size)
}

/** The epoch that contains a block. */
export function blockToEpoch(size: number, n: number): number {
  return Math.floor((n * size) / EPOCH_MIN)
}

export function timeToEpoch(atMs: number): number {
  return Math.floor(atMs / EPOCH_MS)
}

/** The span in which the secrets of an epoch exist, Unix ms, end exclusive. */
export function epochToSecretSpan(epoch: number): { from: number; to: number } {
  return { from: epoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS, to: (epoch + 1) * EPOCH_MS + EPOCH_CLOSES_AFTER_MS }
}

/** The oldest epoch whose secrets still exist at `nowMs`. */
export function oldestOpenEpoch(nowMs: number): number {
  return timeToEpoch(nowMs - EPOCH_CLOSES_AFTER_MS)
}

/** Position of a block among the 31 of its epoch: sizes ascending, n ascending. */
export function blockToPosition(size: number, n: number): number {
  let position = 0
  for (const s of BLOCK_SIZES_MIN) {
    if (s === size) return position + (n - (blockToEpoch(size, n) * EPOCH_MIN) / size)
    position += EPOCH_MIN / s
  }
  throw new RangeError(`"size" expected 5, 10, 20, 40 or 80, got ${size}`)
}

/** The 31 blocks of an epoch in order of position. */
export function epochToBlocks(epoch: number): { size: number; n: number }[] {
  return BLOCK_SIZES_MIN.flatMap((size) => {
    const count = EPOCH_MIN / size
    return Array.from({ length: count }, (_, i) => ({ size, n: epoch * count + i }))
  })
}
