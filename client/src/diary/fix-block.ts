/** The 5-minute time block of a fix, which is its key in the diary. PROTOCOL.md §3. Pure. */
import { BLOCK_SIZES_MIN, blockToEpoch, blockToState, EPOCH_MIN, MINUTE_MS } from '@geotrace/core-wasm/wire'

export const FIX_BLOCK_MIN = BLOCK_SIZES_MIN[0]
const FIX_BLOCK_MS = FIX_BLOCK_MIN * MINUTE_MS

export function timeToFixBlock(at: number): number {
  return Math.floor(at / FIX_BLOCK_MS)
}

/** Unix ms at which the block closes. */
export function fixBlockEnd(block: number): number {
  return (block + 1) * FIX_BLOCK_MS
}

/** The epoch of the block. Rows of a fix lie in this epoch and in the next one. */
export function fixBlockToEpoch(block: number): number {
  return blockToEpoch(FIX_BLOCK_MIN, block)
}

/** The first block of an epoch. */
export function epochToFixBlock(epoch: number): number {
  return epoch * (EPOCH_MIN / FIX_BLOCK_MIN)
}

/** True when the salt nodes no longer serve one of the time blocks that hold `at`. Then the whole fix is lost. */
export function isBeyondWindow(at: number, nowMs: number): boolean {
  return BLOCK_SIZES_MIN.some((size) => blockToState(size, Math.floor(at / (size * MINUTE_MS)), nowMs) === 'too-old')
}
