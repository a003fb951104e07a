// What the module exports: the areas, and functions over them. The host (src/) checks what it passes; a length outside its
// area traps all the same. Zero imports, no allocation, nothing kept from one call for the next.
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

/** Messages hashed side by side: tells the host which build this is. */
export const LANES: u32 = ASC_FEATURE_SIMD ? 4 : 1

/** LATS, LNGS, TIMES → CELLS, REGIONS, BLOCKS, FRESH_CELLS, FRESH_BLOCKS. */
export function fixesToPoints(count: u32): void {
  fixesToCells(count)
  writeRegions(count)
  writeBlocks(count)
  writeFresh(count)
}

/** Zeroes what a call was given, what it answered and what it computed with. */
export function wipe(): void {
  wipeAreas()
  wipeCells()
}

/** The same where no more than cells and risk points were asked for: most areas were not touched. */
export function wipeFixes(): void {
  wipeFixAreas()
  wipeCells()
}
