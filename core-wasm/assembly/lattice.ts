// A lattice point of a face's plane as an H3 index of resolution 12. PROTOCOL.md, cells.
import { HOMES, PAIRS } from './tables'

/** Makes every lattice coordinate positive: 4 * 7^6, four steps of the coarsest lattice. */
const BIAS: i32 = 470596
const BIAS_PLACE: i32 = 4

const EMPTY_INDEX: u64 = 0x08c00000000001ff
const BASE_CELL_SHIFT: u64 = 45
const DIGITS_SHIFT: u64 = 9
const DIGITS_MASK: u64 = 0xfffffffff
const LOW_BITS: u64 = 0o111111111111
const UPPER_TWO_BITS: u64 = 0o666666666666
const TOP_BITS: u64 = 0o444444444444
const LOWER_TWO_BITS: u64 = 0o333333333333

export function latticeToIndex(face: u32, a: i32, b: i32): u64 {
  let x = <u32>(a + BIAS)
  let y = <u32>(b + BIAS)
  let digits: u64 = 0
  for (let shift: u64 = 0; shift < 36; shift += 6) {
    const coarseX = x / 7
    const coarseY = y / 7
    const pair = <u32>load<u8>(PAIRS + (x - coarseX * 7) * 7 + (y - coarseY * 7))
    digits |= (<u64>(pair & 63)) << shift
    x = coarseX + ((pair >> 6) & 1)
    y = coarseY + (pair >> 7)
  }
  const home = homeOf(face, <i32>x - BIAS_PLACE, <i32>y - BIAS_PLACE, leadingDigit(digits))
  return EMPTY_INDEX | ((<u64>(home >> 3)) << BASE_CELL_SHIFT) | (turn(digits, home & 7) << DIGITS_SHIFT)
}

export function indexToBaseCell(index: u64): u32 {
  return <u32>(index >> BASE_CELL_SHIFT) & 127
}

/** Digits 1 to 12, three bits each, digit 12 lowest. */
export function indexToDigits(index: u64): u64 {
  return (index >> DIGITS_SHIFT) & DIGITS_MASK
}

/** The first digit that is not zero, or zero. */
export function leadingDigit(digits: u64): u32 {
  if (digits == 0) return 0
  const top = 63 - <u32>clz(digits)
  return <u32>(digits >> (top - (top % 3))) & 7
}

@inline
function homeOf(face: u32, a: i32, b: i32, lead: u32): u32 {
  const low = min(min(a, b), 0)
  const place = <u32>((a - low) * 9 + (b - low) * 3 - low)
  return <u32>load<u16>(HOMES + (((face * 27 + place) * 7 + lead) << 1))
}

/**
 * Turns all digits by `turns` × 60°. One turn takes digit d to 5d mod 7, hence n turns to ±2^(n mod 3) d: doubling
 * modulo 7 rotates three bits, negating complements them (a zero stays zero).
 */
function turn(digits: u64, turns: u32): u64 {
  const doublings = turns % 3
  let turned = digits
  if (doublings == 1) turned = ((digits << 1) & UPPER_TWO_BITS) | ((digits >> 2) & LOW_BITS)
  if (doublings == 2) turned = ((digits << 2) & TOP_BITS) | ((digits >> 1) & LOWER_TWO_BITS)
  if (turns & 1) turned ^= ((turned | (turned >> 1) | (turned >> 2)) & LOW_BITS) * 7
  return turned
}
