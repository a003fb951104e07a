// A lattice point of a face's plane as an H3 index of resolution 12. PROTOCOL.md §3.1. The code takes four digits at a
// time: two levels of the aperture-7 lattice make it exactly seven times coarser, four levels 49 times.
import { HOMES, PAIRS } from './tables'

/** An offset that makes every lattice coordinate positive: 4 * 7^6, four steps of the coarsest lattice. */
const BIAS: i32 = 470596
const BIAS_PLACE: i32 = 4

const EMPTY_INDEX: u64 = 0x08c00000000001ff
const BASE_CELL_SHIFT: u64 = 45
const DIGITS_SHIFT: u64 = 9
const DIGITS_MASK: u64 = 0xfffffffff
const LOW_BITS: u64 = 0o111111111111

/** Side of the block that four digits cover, in steps of the lattice. */
const BLOCK: u32 = 49
const BLOCK_DIGITS: u64 = 12
const BLOCK_MASK: u64 = 0o7777
/** By (a mod 49) * 49 + (b mod 49): four digits (twelve bits), then the carries of a and of b (two bits each). */
const BLOCKS: usize = memory.data(BLOCK * BLOCK * 2, 2)
writeBlocks()

/** The block of the last point, its digits above the last four, and its home, which its neighbours usually share. */
let blockX: u32 = 0
let blockY: u32 = 0
let upperDigits: u64 = 0
let lastHome: u32 = 0

/** Composes PAIRS with itself, for two pairs of digits at a time. */
function writeBlocks(): void {
  for (let a: u32 = 0; a < BLOCK; a++) {
    for (let b: u32 = 0; b < BLOCK; b++) {
      const low = pairAt(a, b)
      const x = a / 7 + ((low >> 6) & 1)
      const y = b / 7 + (low >> 7)
      const high = pairAt(x, y)
      const carryX = x / 7 + ((high >> 6) & 1)
      const carryY = y / 7 + (high >> 7)
      store<u16>(BLOCKS + ((a * BLOCK + b) << 1), <u16>((low & 63) | ((high & 63) << 6) | (carryX << 12) | (carryY << 14)))
    }
  }
}

@inline
function pairAt(a: u32, b: u32): u32 {
  return load<u8>(PAIRS + (a % 7) * 7 + (b % 7))
}

@inline
function blockAt(x: u32, y: u32, coarseX: u32, coarseY: u32): u32 {
  return load<u16>(BLOCKS + (((x - coarseX * BLOCK) * BLOCK + (y - coarseY * BLOCK)) << 1))
}

export function latticeToIndex(face: u32, a: i32, b: i32): u64 {
  let x = <u32>(a + BIAS)
  let y = <u32>(b + BIAS)
  let coarseX = x / BLOCK
  let coarseY = y / BLOCK
  const lowest = blockAt(x, y, coarseX, coarseY)
  x = coarseX + ((lowest >> 12) & 3)
  y = coarseY + (lowest >> 14)
  blockX = x
  blockY = y
  coarseX = x / BLOCK
  coarseY = y / BLOCK
  const middle = blockAt(x, y, coarseX, coarseY)
  x = coarseX + ((middle >> 12) & 3)
  y = coarseY + (middle >> 14)
  coarseX = x / BLOCK
  coarseY = y / BLOCK
  const highest = blockAt(x, y, coarseX, coarseY)
  x = coarseX + ((highest >> 12) & 3)
  y = coarseY + (highest >> 14)
  upperDigits = ((<u64>middle & BLOCK_MASK) << BLOCK_DIGITS) | ((<u64>highest & BLOCK_MASK) << (2 * BLOCK_DIGITS))
  const digits = upperDigits | (<u64>lowest & BLOCK_MASK)
  lastHome = homeOf(face, <i32>x - BIAS_PLACE, <i32>y - BIAS_PLACE, leadingDigit(digits))
  return toIndex(digits, lastHome)
}

/** The same for a neighbour of the last point of `latticeToIndex`. */
export function neighbourToIndex(face: u32, a: i32, b: i32): u64 {
  const x = <u32>(a + BIAS)
  const y = <u32>(b + BIAS)
  const coarseX = x / BLOCK
  const coarseY = y / BLOCK
  const lowest = blockAt(x, y, coarseX, coarseY)
  // Without digits above, the leading digit is among the last four, so the home may differ.
  if (coarseX + ((lowest >> 12) & 3) != blockX || coarseY + (lowest >> 14) != blockY || upperDigits == 0) {
    return strangerToIndex(face, a, b)
  }
  return toIndex(upperDigits | (<u64>lowest & BLOCK_MASK), lastHome)
}

/** The index of a neighbour in another block. The next neighbours are still compared with the last point. */
function strangerToIndex(face: u32, a: i32, b: i32): u64 {
  const x = blockX
  const y = blockY
  const digits = upperDigits
  const home = lastHome
  const index = latticeToIndex(face, a, b)
  blockX = x
  blockY = y
  upperDigits = digits
  lastHome = home
  return index
}

@inline
function toIndex(digits: u64, home: u32): u64 {
  return EMPTY_INDEX | ((<u64>(home >> 3)) << BASE_CELL_SHIFT) | (turn(digits, home & 7) << DIGITS_SHIFT)
}

export function wipeLattice(): void {
  blockX = 0
  blockY = 0
  upperDigits = 0
  lastHome = 0
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
 * Turns all digits by `turns` × 60°. One turn takes digit d to 5d mod 7, so n turns take d to ±2^(n mod 3) d. Doubling
 * modulo 7 rotates three bits; negating complements them (a zero stays zero).
 */
function turn(digits: u64, turns: u32): u64 {
  const doublings = <u64>(turns % 3)
  const upper = LOW_BITS * ((7 << doublings) & 7)
  const lower = LOW_BITS * ((<u64>1 << doublings) - 1)
  const turned = ((digits << doublings) & upper) | ((digits >> (3 - doublings)) & lower)
  return turned ^ (((turned | (turned >> 1) | (turned >> 2)) & LOW_BITS) * (7 * <u64>(turns & 1)))
}
