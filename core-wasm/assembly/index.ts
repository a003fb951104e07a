// The exports of the module: the areas, and functions over them. The host (src/core/) checks its arguments, and a length
// outside its area traps. The module has no imports, allocates nothing and keeps nothing from one call to the next.
import { wipeAreas, wipeFixAreas } from './areas'
import { writeBlocks, writeFresh } from './blocks'
import { fixesToCells, wipeCells } from './cells'
import { writeRegions } from './regions'

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
} from './areas'
export { timeToBlock } from './blocks'
export { fixesToCells, fixesToHexagons, wipeCells } from './cells'
export { BATCH, FIXES, POINTS } from './constants'
export { crc32 } from './crc32'
export { hmacMessages, sha256Messages } from './messages'
export { cellToRegion } from './regions'
export { assignSlots, hashPoints } from './risk-hashes'

/** Messages hashed side by side. The host reads the build from this number. */
export const LANES: u32 = ASC_FEATURE_SIMD ? 4 : 1

/** LATS, LNGS, TIMES → CELLS, REGIONS, BLOCKS, FRESH_CELLS, FRESH_BLOCKS. */
export function fixesToPoints(count: u32): void {
  fixesToCells(count)
  writeRegions(count)
  writeBlocks(count)
  writeFresh(count)
}

/** Zeroes the inputs, the results and the scratch of a call. */
export function wipe(): void {
  wipeAreas()
  wipeCells()
}

/** The same after a call for cells and risk points only, which leaves most areas untouched. */
export function wipeFixes(): void {
  wipeFixAreas()
  wipeCells()
}
