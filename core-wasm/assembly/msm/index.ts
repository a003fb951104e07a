// Sums of multiples in the group ristretto255 (multi-scalar multiplication): Σ factor · element. The module is a module of
// its own, loaded with the first sync. Its time and its memory accesses depend on the operands, so they must be public.
// The host (src/voprf/multiples.ts) writes the operands and reads the result. The module has no imports.
//
// Straus 1964: all terms share the doublings. The digits of a factor are 0, or odd and at most 15 in size. So eight
// multiples of each element suffice, and five of six digits are 0.

import { addTo, decode, double, encode, POINT, setIdentity, toAddend } from './points'

/** Most terms of a sum. */
export const TERMS: u32 = 64
const FACTOR_BITS: u32 = 256
const MULTIPLES: u32 = 8
const DIGIT_MAX: i32 = 15
/** A digit takes in at most this many bits above its own. */
const REACH: u32 = 6

/** A factor: 32 bytes, little-endian, below 2^253. The highest bit of all is its sign. */
export const FACTORS: usize = memory.data(TERMS * 32, 8)
export const ELEMENTS: usize = memory.data(TERMS * 32, 8)
export const SUM: usize = memory.data(32, 8)

const DIGITS: usize = memory.data(TERMS * FACTOR_BITS, 8)
const TABLES: usize = memory.data(TERMS * MULTIPLES * POINT, 8)
const TOTAL: usize = memory.data(POINT, 8)
const ELEMENT: usize = memory.data(POINT, 8)
const STEP: usize = memory.data(POINT, 8)

/** The sum of the first `count` terms. False when an element is refused, or when the sum is the identity. */
export function sum(count: u32): bool {
  if (count > TERMS) unreachable()
  let top: i32 = -1
  for (let i: u32 = 0; i < count; i++) {
    if (!decode(ELEMENT, ELEMENTS + 32 * i)) return false
    toTable(TABLES + MULTIPLES * POINT * i)
    top = max(top, toDigits(DIGITS + FACTOR_BITS * i, FACTORS + 32 * i))
  }
  setIdentity(TOTAL)
  for (let bit = top; bit >= 0; bit--) {
    double(TOTAL, bit == 0 || hasDigit(count, bit))
    for (let i: u32 = 0; i < count; i++) {
      const digit = <i32>load<i8>(DIGITS + FACTOR_BITS * i + bit)
      if (digit != 0) addTo(TOTAL, TABLES + POINT * (MULTIPLES * i + (abs(digit) >> 1)), digit < 0)
    }
  }
  return encode(SUM, TOTAL)
}

function hasDigit(count: u32, bit: i32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (load<u8>(DIGITS + FACTOR_BITS * i + bit) != 0) return true
  }
  return false
}

/** Writes 1, 3, … 15 times the element. */
function toTable(table: usize): void {
  toAddend(table, ELEMENT)
  memory.copy(TOTAL, ELEMENT, POINT)
  double(TOTAL, true)
  toAddend(STEP, TOTAL)
  for (let i: u32 = 1; i < MULTIPLES; i++) {
    addTo(ELEMENT, STEP, false)
    toAddend(table + POINT * i, ELEMENT)
  }
}

/** Writes the digits of a factor, one for each bit, and returns the place of the highest one; −1 for the factor 0. */
function toDigits(digits: usize, factor: usize): i32 {
  const isMinus = load<u8>(factor, 31) >> 7
  for (let i: u32 = 0; i < FACTOR_BITS; i++) store<i8>(digits + i, <i8>((<u32>load<u8>(factor + (i >> 3)) >> (i & 7)) & 1))
  store<i8>(digits, 0, FACTOR_BITS - 1)
  let top: i32 = -1
  for (let i: u32 = 0; i < FACTOR_BITS; i++) {
    if (load<i8>(digits + i) == 0) continue
    takeIn(digits, i)
    if (isMinus) store<i8>(digits + i, -load<i8>(digits + i))
    top = <i32>i
  }
  return top
}

/** Makes the digit at a place take in the bits above it, or complete them to a carry, while it stays small enough. */
function takeIn(digits: usize, at: u32): void {
  for (let above = at + 1; above <= at + REACH && above < FACTOR_BITS; above++) {
    if (load<i8>(digits + above) == 0) continue
    const digit = <i32>load<i8>(digits + at)
    const value: i32 = 1 << (above - at)
    if (digit + value <= DIGIT_MAX) {
      store<i8>(digits + at, <i8>(digit + value))
      store<i8>(digits + above, 0)
    } else if (digit - value >= -DIGIT_MAX) {
      store<i8>(digits + at, <i8>(digit - value))
      carryFrom(digits, above)
    } else return
  }
}

/** Adds 1 at a place whose bit is 1: this and all ones above it become 0, and the first 0 becomes 1. */
function carryFrom(digits: usize, from: u32): void {
  let at = from
  for (; load<i8>(digits + at) != 0; at++) store<i8>(digits + at, 0)
  store<i8>(digits + at, 1)
}
