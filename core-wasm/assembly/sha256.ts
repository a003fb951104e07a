// SHA-256 (FIPS 180-4) of one message at a time. The rounds are a loop, because unrolled rounds are many times slower
// before the engine optimises them.
import { SCHEDULE } from './areas'

/** Round constants, FIPS 180-4 §4.2.2. */
export const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

/** Initial hash value, §5.3.3. */
export const IV: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])

/** Compresses `blocks` 64-byte blocks at `message` into the eight words at `state`. */
export function compress(state: usize, message: usize, blocks: u32): void {
  for (let block: u32 = 0; block < blocks; block++) compressBlock(state, message + block * 64)
}

function compressBlock(state: usize, block: usize): void {
  for (let t: u32 = 0; t < 64; t += 4) store<u32>(SCHEDULE + t, bswap(load<u32>(block + t)))
  for (let at = SCHEDULE + 64; at < SCHEDULE + 256; at += 4) {
    const w2 = load<u32>(at - 8)
    const w15 = load<u32>(at - 60)
    const sigma1 = rotr(w2, 17) ^ rotr(w2, 19) ^ (w2 >> 10)
    const sigma0 = rotr(w15, 7) ^ rotr(w15, 18) ^ (w15 >> 3)
    store<u32>(at, sigma1 + load<u32>(at - 28) + sigma0 + load<u32>(at - 64))
  }
  let a = load<u32>(state)
  let b = load<u32>(state, 4)
  let c = load<u32>(state, 8)
  let d = load<u32>(state, 12)
  let e = load<u32>(state, 16)
  let f = load<u32>(state, 20)
  let g = load<u32>(state, 24)
  let h = load<u32>(state, 28)
  for (let t: usize = 0; t < 256; t += 4) {
    const sum1 = rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)
    const t1 = h + sum1 + ((e & f) ^ (~e & g)) + load<u32>(K + t) + load<u32>(SCHEDULE + t)
    const sum0 = rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)
    const t2 = sum0 + ((a & b) ^ (a & c) ^ (b & c))
    h = g
    g = f
    f = e
    e = d + t1
    d = c
    c = b
    b = a
    a = t1 + t2
  }
  store<u32>(state, a + load<u32>(state))
  store<u32>(state, b + load<u32>(state, 4), 4)
  store<u32>(state, c + load<u32>(state, 8), 8)
  store<u32>(state, d + load<u32>(state, 12), 12)
  store<u32>(state, e + load<u32>(state, 16), 16)
  store<u32>(state, f + load<u32>(state, 20), 20)
  store<u32>(state, g + load<u32>(state, 24), 24)
  store<u32>(state, h + load<u32>(state, 28), 28)
}

/** The first `words` words of a state as big-endian bytes. */
export function writeDigest(state: usize, out: usize, words: u32): void {
  for (let at: u32 = 0; at < words << 2; at += 4) store<u32>(out + at, bswap(load<u32>(state + at)))
}
