// SHA-256 (FIPS 180-4) of four messages at once: lane k of every vector belongs to message k. All state lives in locals.
//
//   state word a:  | a of 0 | a of 1 | a of 2 | a of 3 |      message word w0:  | w0 of 0 | w0 of 1 | w0 of 2 | w0 of 3 |
//
// Sixteen rounds are written out with their names rotated, then repeated three times with the message schedule.
import { K } from './sha256'

/** Compresses one block of each of four messages, which lie `stride` bytes apart, into the eight vectors at `states`. */
export function compress4(states: usize, block: usize, stride: u32): void {
  const m0 = block
  const m1 = m0 + stride
  const m2 = m1 + stride
  const m3 = m2 + stride
  let r0: v128, r1: v128, r2: v128, r3: v128
  let t0: v128, t1: v128, t2: v128, t3: v128
  r0 = loadWords(m0, 0)
  r1 = loadWords(m1, 0)
  r2 = loadWords(m2, 0)
  r3 = loadWords(m3, 0)
  t0 = low(r0, r1)
  t1 = low(r2, r3)
  t2 = high(r0, r1)
  t3 = high(r2, r3)
  let w0 = lowPairs(t0, t1)
  let w1 = highPairs(t0, t1)
  let w2 = lowPairs(t2, t3)
  let w3 = highPairs(t2, t3)
  r0 = loadWords(m0, 16)
  r1 = loadWords(m1, 16)
  r2 = loadWords(m2, 16)
  r3 = loadWords(m3, 16)
  t0 = low(r0, r1)
  t1 = low(r2, r3)
  t2 = high(r0, r1)
  t3 = high(r2, r3)
  let w4 = lowPairs(t0, t1)
  let w5 = highPairs(t0, t1)
  let w6 = lowPairs(t2, t3)
  let w7 = highPairs(t2, t3)
  r0 = loadWords(m0, 32)
  r1 = loadWords(m1, 32)
  r2 = loadWords(m2, 32)
  r3 = loadWords(m3, 32)
  t0 = low(r0, r1)
  t1 = low(r2, r3)
  t2 = high(r0, r1)
  t3 = high(r2, r3)
  let w8 = lowPairs(t0, t1)
  let w9 = highPairs(t0, t1)
  let w10 = lowPairs(t2, t3)
  let w11 = highPairs(t2, t3)
  r0 = loadWords(m0, 48)
  r1 = loadWords(m1, 48)
  r2 = loadWords(m2, 48)
  r3 = loadWords(m3, 48)
  t0 = low(r0, r1)
  t1 = low(r2, r3)
  t2 = high(r0, r1)
  t3 = high(r2, r3)
  let w12 = lowPairs(t0, t1)
  let w13 = highPairs(t0, t1)
  let w14 = lowPairs(t2, t3)
  let w15 = highPairs(t2, t3)
  let a = v128.load(states)
  let b = v128.load(states, 16)
  let c = v128.load(states, 32)
  let d = v128.load(states, 48)
  let e = v128.load(states, 64)
  let f = v128.load(states, 80)
  let g = v128.load(states, 96)
  let h = v128.load(states, 112)
  let t: v128
  let k = K
  {
    t = add(add(h, sum1(e)), add(add(choose(e, f, g), v128.load32_splat(k, 0)), w0))
    d = add(d, t)
    h = add(t, add(sum0(a), majority(a, b, c)))
    t = add(add(g, sum1(d)), add(add(choose(d, e, f), v128.load32_splat(k, 4)), w1))
    c = add(c, t)
    g = add(t, add(sum0(h), majority(h, a, b)))
    t = add(add(f, sum1(c)), add(add(choose(c, d, e), v128.load32_splat(k, 8)), w2))
    b = add(b, t)
    f = add(t, add(sum0(g), majority(g, h, a)))
    t = add(add(e, sum1(b)), add(add(choose(b, c, d), v128.load32_splat(k, 12)), w3))
    a = add(a, t)
    e = add(t, add(sum0(f), majority(f, g, h)))
    t = add(add(d, sum1(a)), add(add(choose(a, b, c), v128.load32_splat(k, 16)), w4))
    h = add(h, t)
    d = add(t, add(sum0(e), majority(e, f, g)))
    t = add(add(c, sum1(h)), add(add(choose(h, a, b), v128.load32_splat(k, 20)), w5))
    g = add(g, t)
    c = add(t, add(sum0(d), majority(d, e, f)))
    t = add(add(b, sum1(g)), add(add(choose(g, h, a), v128.load32_splat(k, 24)), w6))
    f = add(f, t)
    b = add(t, add(sum0(c), majority(c, d, e)))
    t = add(add(a, sum1(f)), add(add(choose(f, g, h), v128.load32_splat(k, 28)), w7))
    e = add(e, t)
    a = add(t, add(sum0(b), majority(b, c, d)))
    t = add(add(h, sum1(e)), add(add(choose(e, f, g), v128.load32_splat(k, 32)), w8))
    d = add(d, t)
    h = add(t, add(sum0(a), majority(a, b, c)))
    t = add(add(g, sum1(d)), add(add(choose(d, e, f), v128.load32_splat(k, 36)), w9))
    c = add(c, t)
    g = add(t, add(sum0(h), majority(h, a, b)))
    t = add(add(f, sum1(c)), add(add(choose(c, d, e), v128.load32_splat(k, 40)), w10))
    b = add(b, t)
    f = add(t, add(sum0(g), majority(g, h, a)))
    t = add(add(e, sum1(b)), add(add(choose(b, c, d), v128.load32_splat(k, 44)), w11))
    a = add(a, t)
    e = add(t, add(sum0(f), majority(f, g, h)))
    t = add(add(d, sum1(a)), add(add(choose(a, b, c), v128.load32_splat(k, 48)), w12))
    h = add(h, t)
    d = add(t, add(sum0(e), majority(e, f, g)))
    t = add(add(c, sum1(h)), add(add(choose(h, a, b), v128.load32_splat(k, 52)), w13))
    g = add(g, t)
    c = add(t, add(sum0(d), majority(d, e, f)))
    t = add(add(b, sum1(g)), add(add(choose(g, h, a), v128.load32_splat(k, 56)), w14))
    f = add(f, t)
    b = add(t, add(sum0(c), majority(c, d, e)))
    t = add(add(a, sum1(f)), add(add(choose(f, g, h), v128.load32_splat(k, 60)), w15))
    e = add(e, t)
    a = add(t, add(sum0(b), majority(b, c, d)))
  }
  for (k = K + 64; k < K + 256; k += 64) {
    w0 = add(add(w0, sigma0(w1)), add(w9, sigma1(w14)))
    t = add(add(h, sum1(e)), add(add(choose(e, f, g), v128.load32_splat(k, 0)), w0))
    d = add(d, t)
    h = add(t, add(sum0(a), majority(a, b, c)))
    w1 = add(add(w1, sigma0(w2)), add(w10, sigma1(w15)))
    t = add(add(g, sum1(d)), add(add(choose(d, e, f), v128.load32_splat(k, 4)), w1))
    c = add(c, t)
    g = add(t, add(sum0(h), majority(h, a, b)))
    w2 = add(add(w2, sigma0(w3)), add(w11, sigma1(w0)))
    t = add(add(f, sum1(c)), add(add(choose(c, d, e), v128.load32_splat(k, 8)), w2))
    b = add(b, t)
    f = add(t, add(sum0(g), majority(g, h, a)))
    w3 = add(add(w3, sigma0(w4)), add(w12, sigma1(w1)))
    t = add(add(e, sum1(b)), add(add(choose(b, c, d), v128.load32_splat(k, 12)), w3))
    a = add(a, t)
    e = add(t, add(sum0(f), majority(f, g, h)))
    w4 = add(add(w4, sigma0(w5)), add(w13, sigma1(w2)))
    t = add(add(d, sum1(a)), add(add(choose(a, b, c), v128.load32_splat(k, 16)), w4))
    h = add(h, t)
    d = add(t, add(sum0(e), majority(e, f, g)))
    w5 = add(add(w5, sigma0(w6)), add(w14, sigma1(w3)))
    t = add(add(c, sum1(h)), add(add(choose(h, a, b), v128.load32_splat(k, 20)), w5))
    g = add(g, t)
    c = add(t, add(sum0(d), majority(d, e, f)))
    w6 = add(add(w6, sigma0(w7)), add(w15, sigma1(w4)))
    t = add(add(b, sum1(g)), add(add(choose(g, h, a), v128.load32_splat(k, 24)), w6))
    f = add(f, t)
    b = add(t, add(sum0(c), majority(c, d, e)))
    w7 = add(add(w7, sigma0(w8)), add(w0, sigma1(w5)))
    t = add(add(a, sum1(f)), add(add(choose(f, g, h), v128.load32_splat(k, 28)), w7))
    e = add(e, t)
    a = add(t, add(sum0(b), majority(b, c, d)))
    w8 = add(add(w8, sigma0(w9)), add(w1, sigma1(w6)))
    t = add(add(h, sum1(e)), add(add(choose(e, f, g), v128.load32_splat(k, 32)), w8))
    d = add(d, t)
    h = add(t, add(sum0(a), majority(a, b, c)))
    w9 = add(add(w9, sigma0(w10)), add(w2, sigma1(w7)))
    t = add(add(g, sum1(d)), add(add(choose(d, e, f), v128.load32_splat(k, 36)), w9))
    c = add(c, t)
    g = add(t, add(sum0(h), majority(h, a, b)))
    w10 = add(add(w10, sigma0(w11)), add(w3, sigma1(w8)))
    t = add(add(f, sum1(c)), add(add(choose(c, d, e), v128.load32_splat(k, 40)), w10))
    b = add(b, t)
    f = add(t, add(sum0(g), majority(g, h, a)))
    w11 = add(add(w11, sigma0(w12)), add(w4, sigma1(w9)))
    t = add(add(e, sum1(b)), add(add(choose(b, c, d), v128.load32_splat(k, 44)), w11))
    a = add(a, t)
    e = add(t, add(sum0(f), majority(f, g, h)))
    w12 = add(add(w12, sigma0(w13)), add(w5, sigma1(w10)))
    t = add(add(d, sum1(a)), add(add(choose(a, b, c), v128.load32_splat(k, 48)), w12))
    h = add(h, t)
    d = add(t, add(sum0(e), majority(e, f, g)))
    w13 = add(add(w13, sigma0(w14)), add(w6, sigma1(w11)))
    t = add(add(c, sum1(h)), add(add(choose(h, a, b), v128.load32_splat(k, 52)), w13))
    g = add(g, t)
    c = add(t, add(sum0(d), majority(d, e, f)))
    w14 = add(add(w14, sigma0(w15)), add(w7, sigma1(w12)))
    t = add(add(b, sum1(g)), add(add(choose(g, h, a), v128.load32_splat(k, 56)), w14))
    f = add(f, t)
    b = add(t, add(sum0(c), majority(c, d, e)))
    w15 = add(add(w15, sigma0(w0)), add(w8, sigma1(w13)))
    t = add(add(a, sum1(f)), add(add(choose(f, g, h), v128.load32_splat(k, 60)), w15))
    e = add(e, t)
    a = add(t, add(sum0(b), majority(b, c, d)))
  }
  v128.store(states, add(a, v128.load(states)))
  v128.store(states, add(b, v128.load(states, 16)), 16)
  v128.store(states, add(c, v128.load(states, 32)), 32)
  v128.store(states, add(d, v128.load(states, 48)), 48)
  v128.store(states, add(e, v128.load(states, 64)), 64)
  v128.store(states, add(f, v128.load(states, 80)), 80)
  v128.store(states, add(g, v128.load(states, 96)), 96)
  v128.store(states, add(h, v128.load(states, 112)), 112)
}

/** The same state in all four lanes. */
export function splitLanes(state: usize, states: usize): void {
  for (let word: u32 = 0; word < 8; word++) v128.store(states + (word << 4), v128.load32_splat(state + (word << 2)))
}

/** The digest of each lane, its first `bytes` bytes, laid end to end at `out`. */
export function joinLanes(states: usize, out: usize, bytes: u32): void {
  for (let lane: u32 = 0; lane < 4; lane++) {
    for (let at: u32 = 0; at < bytes; at += 4) {
      store<u32>(out + lane * bytes + at, bswap(load<u32>(states + (at << 2) + (lane << 2))))
    }
  }
}

/** Four big-endian words. */
@inline
function loadWords(message: usize, offset: usize): v128 {
  const bytes = v128.load(message + offset)
  return i8x16.shuffle(bytes, bytes, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
}

/** Words 0 of x and y, words 1 of x and y. */
@inline
function low(x: v128, y: v128): v128 {
  return v128.shuffle<u32>(x, y, 0, 4, 1, 5)
}

@inline
function high(x: v128, y: v128): v128 {
  return v128.shuffle<u32>(x, y, 2, 6, 3, 7)
}

@inline
function lowPairs(x: v128, y: v128): v128 {
  return v128.shuffle<u64>(x, y, 0, 2)
}

@inline
function highPairs(x: v128, y: v128): v128 {
  return v128.shuffle<u64>(x, y, 1, 3)
}

@inline
function add(x: v128, y: v128): v128 {
  return i32x4.add(x, y)
}

@inline
function rotate(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits))
}

@inline
function choose(e: v128, f: v128, g: v128): v128 {
  return v128.bitselect(f, g, e)
}

/** Where a and b agree, that bit; elsewhere c decides. */
@inline
function majority(a: v128, b: v128, c: v128): v128 {
  return v128.bitselect(c, a, v128.xor(a, b))
}

@inline
function sum0(a: v128): v128 {
  return v128.xor(v128.xor(rotate(a, 2), rotate(a, 13)), rotate(a, 22))
}

@inline
function sum1(e: v128): v128 {
  return v128.xor(v128.xor(rotate(e, 6), rotate(e, 11)), rotate(e, 25))
}

@inline
function sigma0(w: v128): v128 {
  return v128.xor(v128.xor(rotate(w, 7), rotate(w, 18)), i32x4.shr_u(w, 3))
}

@inline
function sigma1(w: v128): v128 {
  return v128.xor(v128.xor(rotate(w, 17), rotate(w, 19)), i32x4.shr_u(w, 10))
}
