// The region of a cell: the dense number of its owner's ancestor at resolution 4. PROTOCOL.md §3.3.
import { CELLS, REGIONS } from './areas'
import { CELLS_PER_FIX, REGION_NONE } from './constants'
import { indexToBaseCell, indexToDigits, leadingDigit } from './lattice'
import { PENTAGONS, REGION_OFFSETS } from './tables'

const BASE_CELL_COUNT: u32 = 122
const REGION_DIGITS: u32 = 4
const FINER_BITS: u64 = 24
/** The bits outside mode, vertex number, base cell and digits, and their value in an index of resolution 12. */
const FIXED_MASK: u64 = 0x80f00000000001ff
const FIXED_BITS: u64 = 0x00c00000000001ff
const MODE_CELL: u32 = 1
const MODE_VERTEX: u32 = 4
/** Base cell and first four digits, which determine the region. */
const WITHIN_MASK: u64 = 0x000fffffffffffff
const REGION_SHIFT: u64 = 33
/** A one in the top bit of each digit. A digit 7 has all three bits set. */
const LOW_BITS: u64 = 0o111111111111

/** 0 … 288121, or REGION_NONE for a value that is no id of any layer. */
export function cellToRegion(cell: u64): u32 {
  return isCell(cell) ? regionOf(cell) : REGION_NONE
}

/** CELLS → REGIONS for `count` fixes. The cells of a fix usually lie in one region. */
export function writeRegions(count: u32): void {
  let last: u64 = 0
  let region: u32 = 0
  for (let i: u32 = 0; i < count * CELLS_PER_FIX; i++) {
    const cell = load<u64>(CELLS + (i << 3))
    const key = (cell & WITHIN_MASK) >> REGION_SHIFT
    if (key != last || i == 0) {
      region = regionOf(cell)
      last = key
    }
    store<u32>(REGIONS + (i << 2), region)
  }
}

function regionOf(cell: u64): u32 {
  const baseCell = indexToBaseCell(cell)
  const digits = <u32>(indexToDigits(cell) >> FINER_BITS)
  let position: u32 = 0
  if (load<u8>(PENTAGONS + baseCell) == 255) {
    for (let r: u32 = 0; r < REGION_DIGITS; r++) position = position * 7 + digitAt(digits, r)
  } else {
    position = pentagonPosition(digits)
  }
  return load<u32>(REGION_OFFSETS + (baseCell << 2)) + position
}

/** A pentagon has no leading digit 1. Its centre child is a pentagon too, with 5 * (7^n - 1) / 6 + 1 descendants. */
function pentagonPosition(digits: u32): u32 {
  let position: u32 = 0
  let leading = true
  let hexagons: u32 = 343
  let pentagons: u32 = 286
  for (let r: u32 = 0; r < REGION_DIGITS; r++) {
    const digit = digitAt(digits, r)
    if (!leading) position += digit * hexagons
    else if (digit != 0) {
      position += pentagons + (digit - 2) * hexagons
      leading = false
    }
    hexagons /= 7
    pentagons -= 5 * hexagons
  }
  return position
}

function isCell(cell: u64): bool {
  if ((cell & FIXED_MASK) != FIXED_BITS) return false
  const baseCell = indexToBaseCell(cell)
  if (baseCell >= BASE_CELL_COUNT) return false
  const digits = indexToDigits(cell)
  if (digits & (digits >> 1) & (digits >> 2) & LOW_BITS) return false
  const isPentagonBase = load<u8>(PENTAGONS + baseCell) != 255
  if (isPentagonBase && leadingDigit(digits) == 1) return false
  const mode = <u32>(cell >> 59) & 15
  const vertex = <u32>(cell >> 56) & 7
  if (mode == MODE_CELL) return vertex == 0
  return mode == MODE_VERTEX && vertex < (isPentagonBase && digits == 0 ? 5 : 6)
}

@inline
function digitAt(digits: u32, r: u32): u32 {
  return (digits >> (9 - 3 * r)) & 7
}
