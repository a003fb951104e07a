// What the module exports: the areas, and functions over them. Every function takes a count and trusts it; the host
// (src/core.ts) checks. Zero imports, no allocation, no state from one call to the next.
import { CELLS, LATS, LNGS, REGIONS } from './areas'
import { writeBlocks, writeFresh } from './blocks'
import { fixToCells } from './cells'
import { CELLS_PER_FIX } from './constants'
import { cellToRegion } from './regions'

export {
  BLOCKS,
  CELLS,
  DIGESTS,
  HASHES,
  KEY,
  LATS,
  LNGS,
  MESSAGES,
  MESSAGES_BYTES,
  FRESH_BLOCKS,
  FRESH_CELLS,
  POINT_BLOCKS,
  POINT_CELLS,
  POINT_SECRETS,
  POINT_SIZES,
  REGIONS,
  SECRETS,
  SLOT_SECRETS,
  TIMES,
  wipe,
} from './areas'
export { timeToBlock } from './blocks'
export { BATCH, FIXES, POINTS } from './constants'
export { hmacMessages, sha256Messages } from './messages'
export { cellToRegion } from './regions'
export { assignSlots, hashPoints } from './risk-hashes'

/** Messages hashed side by side: tells the host which build this is. */
export const LANES: u32 = ASC_FEATURE_SIMD ? 4 : 1

/** LATS, LNGS → CELLS. */
export function fixesToCells(count: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    fixToCells(load<f64>(LATS + (i << 3)), load<f64>(LNGS + (i << 3)), CELLS + i * CELLS_PER_FIX * 8)
  }
}

/** LATS, LNGS, TIMES → CELLS, REGIONS, BLOCKS, FRESH_CELLS, FRESH_BLOCKS. */
export function fixesToPoints(count: u32): void {
  fixesToCells(count)
  for (let i: u32 = 0; i < count * CELLS_PER_FIX; i++) {
    store<u32>(REGIONS + (i << 2), cellToRegion(load<u64>(CELLS + (i << 3))))
  }
  writeBlocks(count)
  writeFresh(count)
}
