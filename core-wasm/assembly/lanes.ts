// Vectors of four 32-bit words: the functions of SHA-256 (FIPS 180-4 §4.1.2), and the change between one row per message
// and one lane per message.

/** Four big-endian words. */
@inline
export function loadWords(message: usize, offset: usize): v128 {
  return swapBytes(v128.load(message + offset))
}

/** Words 0 of x and y, words 1 of x and y. */
@inline
export function low(x: v128, y: v128): v128 {
  return v128.shuffle<u32>(x, y, 0, 4, 1, 5)
}

@inline
export function high(x: v128, y: v128): v128 {
  return v128.shuffle<u32>(x, y, 2, 6, 3, 7)
}

@inline
export function lowPairs(x: v128, y: v128): v128 {
  return v128.shuffle<u64>(x, y, 0, 2)
}

@inline
export function highPairs(x: v128, y: v128): v128 {
  return v128.shuffle<u64>(x, y, 1, 3)
}

@inline
export function add(x: v128, y: v128): v128 {
  return i32x4.add(x, y)
}

@inline
export function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits))
}

@inline
export function choose(e: v128, f: v128, g: v128): v128 {
  return v128.bitselect(f, g, e)
}

/** The bit of a and b where they agree, else the bit of c. */
@inline
export function majority(a: v128, b: v128, c: v128): v128 {
  return v128.bitselect(c, a, v128.xor(a, b))
}

@inline
export function sum0(a: v128): v128 {
  return v128.xor(v128.xor(rotate(a, 2), rotate(a, 13)), rotate(a, 22))
}

@inline
export function sum1(e: v128): v128 {
  return v128.xor(v128.xor(rotate(e, 6), rotate(e, 11)), rotate(e, 25))
}

@inline
export function sigma0(w: v128): v128 {
  return v128.xor(v128.xor(rotate(w, 7), rotate(w, 18)), i32x4.shr_u(w, 3))
}

@inline
export function sigma1(w: v128): v128 {
  return v128.xor(v128.xor(rotate(w, 17), rotate(w, 19)), i32x4.shr_u(w, 10))
}

// Turns four rows of four words into columns, and columns into rows:
//   | a0 b0 c0 d0 |        | a0 a1 a2 a3 |
//   | a1 b1 c1 d1 |   ⇄    | b0 b1 b2 b3 |
//   | a2 b2 c2 d2 |        | c0 c1 c2 c3 |
//   | a3 b3 c3 d3 |        | d0 d1 d2 d3 |
@inline
export function column0(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  return lowPairs(low(r0, r1), low(r2, r3))
}

@inline
export function column1(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  return highPairs(low(r0, r1), low(r2, r3))
}

@inline
export function column2(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  return lowPairs(high(r0, r1), high(r2, r3))
}

@inline
export function column3(r0: v128, r1: v128, r2: v128, r3: v128): v128 {
  return highPairs(high(r0, r1), high(r2, r3))
}

/** Reverses the bytes of each word. */
@inline
export function swapBytes(words: v128): v128 {
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}
