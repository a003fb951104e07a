// The field of integers modulo 2^255 − 19. An element is ten limbs of 26 and 25 bits in turn, each a signed i32. Products
// and constants are reduced: their limbs are below 2^26 in size. Sums and differences are not. Operands of a product may
// be made of up to four reduced elements: no intermediate value then reaches 2^62. Everything runs in variable time.

const LIMBS: u32 = 10
/** Bytes of an element in memory. */
export const FIELD: u32 = LIMBS * 4

/** 19 · 2^255 is 0 in the field. */
const FOLD: i64 = 19
const ROUND_26: i64 = 1 << 25
const ROUND_25: i64 = 1 << 24

export const ONE: usize = memory.data<i32>([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
export const SQRT_M1: usize = memory.data<i32>([
  34513072, 25610706, 9377949, 3500415, 12389472, 33281959, 41962654, 31548777, 326685, 11406482,
])

const V3: usize = memory.data(FIELD, 8)
const POWER: usize = memory.data(FIELD, 8)
const CHECK: usize = memory.data(FIELD, 8)
const BYTES_A: usize = memory.data(32, 8)
const BYTES_B: usize = memory.data(32, 8)
const T0: usize = memory.data(FIELD, 8)
const T1: usize = memory.data(FIELD, 8)
const T2: usize = memory.data(FIELD, 8)

@inline
function limb(a: usize, i: u32): i64 {
  return <i64>load<i32>(a + (<usize>i << 2))
}

@inline
export function copy(out: usize, a: usize): void {
  memory.copy(out, a, FIELD)
}

export function add(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < FIELD; i += 4) store<i32>(out + i, load<i32>(a + i) + load<i32>(b + i))
}

export function subtract(out: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < FIELD; i += 4) store<i32>(out + i, load<i32>(a + i) - load<i32>(b + i))
}

export function negate(out: usize, a: usize): void {
  for (let i: usize = 0; i < FIELD; i += 4) store<i32>(out + i, -load<i32>(a + i))
}

/** out = a · b. Every limb of b that passes 2^255 is folded back: c = 19 · b. Two odd limbs meet half a bit too low: e = 2 · a. */
export function multiply(out: usize, a: usize, b: usize): void {
  const a0 = limb(a, 0)
  const a1 = limb(a, 1)
  const a2 = limb(a, 2)
  const a3 = limb(a, 3)
  const a4 = limb(a, 4)
  const a5 = limb(a, 5)
  const a6 = limb(a, 6)
  const a7 = limb(a, 7)
  const a8 = limb(a, 8)
  const a9 = limb(a, 9)
  const b0 = limb(b, 0)
  const b1 = limb(b, 1)
  const b2 = limb(b, 2)
  const b3 = limb(b, 3)
  const b4 = limb(b, 4)
  const b5 = limb(b, 5)
  const b6 = limb(b, 6)
  const b7 = limb(b, 7)
  const b8 = limb(b, 8)
  const b9 = limb(b, 9)
  const c1 = FOLD * b1
  const c2 = FOLD * b2
  const c3 = FOLD * b3
  const c4 = FOLD * b4
  const c5 = FOLD * b5
  const c6 = FOLD * b6
  const c7 = FOLD * b7
  const c8 = FOLD * b8
  const c9 = FOLD * b9
  const e1 = a1 << 1
  const e3 = a3 << 1
  const e5 = a5 << 1
  const e7 = a7 << 1
  const e9 = a9 << 1
  const h0: i64 = a0 * b0 + e1 * c9 + a2 * c8 + e3 * c7 + a4 * c6 + e5 * c5 + a6 * c4 + e7 * c3 + a8 * c2 + e9 * c1
  const h1: i64 = a0 * b1 + a1 * b0 + a2 * c9 + a3 * c8 + a4 * c7 + a5 * c6 + a6 * c5 + a7 * c4 + a8 * c3 + a9 * c2
  const h2: i64 = a0 * b2 + e1 * b1 + a2 * b0 + e3 * c9 + a4 * c8 + e5 * c7 + a6 * c6 + e7 * c5 + a8 * c4 + e9 * c3
  const h3: i64 = a0 * b3 + a1 * b2 + a2 * b1 + a3 * b0 + a4 * c9 + a5 * c8 + a6 * c7 + a7 * c6 + a8 * c5 + a9 * c4
  const h4: i64 = a0 * b4 + e1 * b3 + a2 * b2 + e3 * b1 + a4 * b0 + e5 * c9 + a6 * c8 + e7 * c7 + a8 * c6 + e9 * c5
  const h5: i64 = a0 * b5 + a1 * b4 + a2 * b3 + a3 * b2 + a4 * b1 + a5 * b0 + a6 * c9 + a7 * c8 + a8 * c7 + a9 * c6
  const h6: i64 = a0 * b6 + e1 * b5 + a2 * b4 + e3 * b3 + a4 * b2 + e5 * b1 + a6 * b0 + e7 * c9 + a8 * c8 + e9 * c7
  const h7: i64 = a0 * b7 + a1 * b6 + a2 * b5 + a3 * b4 + a4 * b3 + a5 * b2 + a6 * b1 + a7 * b0 + a8 * c9 + a9 * c8
  const h8: i64 = a0 * b8 + e1 * b7 + a2 * b6 + e3 * b5 + a4 * b4 + e5 * b3 + a6 * b2 + e7 * b1 + a8 * b0 + e9 * c9
  const h9: i64 = a0 * b9 + a1 * b8 + a2 * b7 + a3 * b6 + a4 * b5 + a5 * b4 + a6 * b3 + a7 * b2 + a8 * b1 + a9 * b0
  reduce(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9)
}

/** out = a². As in the product, c = 19 · a and e = 2 · a; d = 38 · a. */
export function square(out: usize, a: usize): void {
  const a0 = limb(a, 0)
  const a1 = limb(a, 1)
  const a2 = limb(a, 2)
  const a3 = limb(a, 3)
  const a4 = limb(a, 4)
  const a5 = limb(a, 5)
  const a6 = limb(a, 6)
  const a7 = limb(a, 7)
  const a8 = limb(a, 8)
  const a9 = limb(a, 9)
  const e0 = a0 << 1
  const e1 = a1 << 1
  const e2 = a2 << 1
  const e3 = a3 << 1
  const e4 = a4 << 1
  const e5 = a5 << 1
  const e6 = a6 << 1
  const e7 = a7 << 1
  const e8 = a8 << 1
  const e9 = a9 << 1
  const c6 = FOLD * a6
  const c7 = FOLD * a7
  const c8 = FOLD * a8
  const c9 = FOLD * a9
  const d5 = 2 * FOLD * a5
  const d7 = 2 * FOLD * a7
  const d9 = 2 * FOLD * a9
  const h0: i64 = a0 * a0 + e1 * d9 + e2 * c8 + e3 * d7 + e4 * c6 + a5 * d5
  const h1: i64 = e0 * a1 + e2 * c9 + e3 * c8 + e4 * c7 + e5 * c6
  const h2: i64 = e0 * a2 + a1 * e1 + e3 * d9 + e4 * c8 + e5 * d7 + a6 * c6
  const h3: i64 = e0 * a3 + e1 * a2 + e4 * c9 + e5 * c8 + e6 * c7
  const h4: i64 = e0 * a4 + e1 * e3 + a2 * a2 + e5 * d9 + e6 * c8 + a7 * d7
  const h5: i64 = e0 * a5 + e1 * a4 + e2 * a3 + e6 * c9 + e7 * c8
  const h6: i64 = e0 * a6 + e1 * e5 + e2 * a4 + a3 * e3 + e7 * d9 + a8 * c8
  const h7: i64 = e0 * a7 + e1 * a6 + e2 * a5 + e3 * a4 + e8 * c9
  const h8: i64 = e0 * a8 + e1 * e7 + e2 * a6 + e3 * e5 + a4 * a4 + a9 * d9
  const h9: i64 = e0 * a9 + e1 * a8 + e2 * a7 + e3 * a6 + e4 * a5
  reduce(out, h0, h1, h2, h3, h4, h5, h6, h7, h8, h9)
}

/** Carries each limb to the next one, and what passes 2^255 back to the first. Two chains run side by side. */
@inline
function reduce(
  out: usize,
  h0: i64,
  h1: i64,
  h2: i64,
  h3: i64,
  h4: i64,
  h5: i64,
  h6: i64,
  h7: i64,
  h8: i64,
  h9: i64,
): void {
  let carry: i64
  carry = (h0 + ROUND_26) >> 26
  h1 += carry
  h0 -= carry << 26
  carry = (h4 + ROUND_26) >> 26
  h5 += carry
  h4 -= carry << 26
  carry = (h1 + ROUND_25) >> 25
  h2 += carry
  h1 -= carry << 25
  carry = (h5 + ROUND_25) >> 25
  h6 += carry
  h5 -= carry << 25
  carry = (h2 + ROUND_26) >> 26
  h3 += carry
  h2 -= carry << 26
  carry = (h6 + ROUND_26) >> 26
  h7 += carry
  h6 -= carry << 26
  carry = (h3 + ROUND_25) >> 25
  h4 += carry
  h3 -= carry << 25
  carry = (h7 + ROUND_25) >> 25
  h8 += carry
  h7 -= carry << 25
  carry = (h4 + ROUND_26) >> 26
  h5 += carry
  h4 -= carry << 26
  carry = (h8 + ROUND_26) >> 26
  h9 += carry
  h8 -= carry << 26
  carry = (h9 + ROUND_25) >> 25
  h0 += FOLD * carry
  h9 -= carry << 25
  carry = (h0 + ROUND_26) >> 26
  h1 += carry
  h0 -= carry << 26
  store<i32>(out, <i32>h0, 0)
  store<i32>(out, <i32>h1, 4)
  store<i32>(out, <i32>h2, 8)
  store<i32>(out, <i32>h3, 12)
  store<i32>(out, <i32>h4, 16)
  store<i32>(out, <i32>h5, 20)
  store<i32>(out, <i32>h6, 24)
  store<i32>(out, <i32>h7, 28)
  store<i32>(out, <i32>h8, 32)
  store<i32>(out, <i32>h9, 36)
}

function squareTimes(out: usize, a: usize, times: u32): void {
  square(out, a)
  for (let i: u32 = 1; i < times; i++) square(out, out)
}

/** out = a^(2^252 − 3), the exponent (p − 5) / 8. */
function power(out: usize, a: usize): void {
  square(T0, a)
  squareTimes(T1, T0, 2)
  multiply(T1, a, T1)
  multiply(T0, T0, T1)
  square(T0, T0)
  multiply(T0, T1, T0)
  // T0 = a^(2^5 − 1). From here on, a run of ones becomes twice as long.
  squareTimes(T1, T0, 5)
  multiply(T0, T1, T0)
  squareTimes(T1, T0, 10)
  multiply(T1, T1, T0)
  squareTimes(T2, T1, 20)
  multiply(T1, T2, T1)
  squareTimes(T1, T1, 10)
  multiply(T0, T1, T0)
  squareTimes(T1, T0, 50)
  multiply(T1, T1, T0)
  squareTimes(T2, T1, 100)
  multiply(T1, T2, T1)
  squareTimes(T1, T1, 50)
  multiply(T0, T1, T0)
  squareTimes(T0, T0, 2)
  multiply(out, T0, a)
}

/** out = 1 / √v, the root that is not negative, and true; or 1 / √(√−1 · v) and false (SQRT_RATIO_M1 of RFC 9496 §4.2). */
export function inverseRoot(out: usize, v: usize): bool {
  square(V3, v)
  multiply(V3, V3, v)
  square(POWER, V3)
  multiply(POWER, POWER, v)
  power(POWER, POWER)
  multiply(POWER, POWER, V3)
  square(CHECK, POWER)
  multiply(CHECK, CHECK, v)
  const isRoot = isEqual(CHECK, ONE)
  negate(CHECK, CHECK)
  const isOpposite = isEqual(CHECK, ONE)
  const isTurned = isEqual(CHECK, SQRT_M1)
  if (isOpposite || isTurned) multiply(POWER, POWER, SQRT_M1)
  absolute(out, POWER)
  return isRoot || isOpposite
}

export function absolute(out: usize, a: usize): void {
  if (isNegative(a)) negate(out, a)
  else copy(out, a)
}

/** Whether the canonical number is odd (RFC 9496 §4.1). */
export function isNegative(a: usize): bool {
  toBytes(BYTES_A, a)
  return <bool>(load<u8>(BYTES_A) & 1)
}

export function isZero(a: usize): bool {
  toBytes(BYTES_A, a)
  return (load<u64>(BYTES_A) | load<u64>(BYTES_A, 8) | load<u64>(BYTES_A, 16) | load<u64>(BYTES_A, 24)) == 0
}

function isEqual(a: usize, b: usize): bool {
  toBytes(BYTES_A, a)
  toBytes(BYTES_B, b)
  return memory.compare(BYTES_A, BYTES_B, 32) == 0
}

/** 32 bytes, little-endian, without their highest bit. */
export function fromBytes(out: usize, bytes: usize): void {
  let bit: u32 = 0
  for (let i: u32 = 0; i < LIMBS; i++) {
    const width: u32 = i & 1 ? 25 : 26
    // The last limb begins at bit 230, so eight bytes from its first byte on would end beyond the operand.
    const at = min(bit >> 3, 24)
    const word = load<u64>(bytes + at) >> (bit - (at << 3))
    store<i32>(out + (i << 2), <i32>(word & ((1 << width) - 1)))
    bit += width
  }
}

/** The canonical number, 32 bytes, little-endian. */
export function toBytes(out: usize, a: usize): void {
  // The number of times that p fits, from a carry through all limbs. The first carry rounds 19 · 2^−25 · the last limb.
  let quotient = (FOLD * limb(a, 9) + ROUND_25) >> 25
  for (let i: u32 = 0; i < LIMBS; i++) quotient = (limb(a, i) + quotient) >> (i & 1 ? 25 : 26)
  memory.fill(out, 0, 32)
  let carry = FOLD * quotient
  let bit: u32 = 0
  for (let i: u32 = 0; i < LIMBS; i++) {
    const width: u32 = i & 1 ? 25 : 26
    const value = limb(a, i) + carry
    carry = value >> width
    const word = <u64>(value - (carry << width))
    const at = min(bit >> 3, 24)
    store<u64>(out + at, load<u64>(out + at) | (word << (bit - (at << 3))))
    bit += width
  }
}
