// Risk hashes: one SHA-256 block for each risk point, cut to twelve bytes. PROTOCOL.md, risk hash.
//   w0–7 secret | w8 block n | w9 size, "GT", version | w10–11 cell | 0x80 | … | bit length 384
import { HASHES, LANE_STATES, POINT_BLOCKS, POINT_CELLS, POINT_SECRETS, POINT_SIZES, SECRETS, STATE, TAILS } from './areas'
import { BLOCK_BYTES, DIGEST_BYTES, RISK_HASH_BYTES, RISK_HASH_TAG, SECRET_BYTES } from './constants'
import { compress, IV, writeDigest } from './sha256'
import { compress4, joinLanes, splitLanes } from './sha256-lanes'

const BIT_LENGTH: u64 = 384

/** The hashes of the first `count` points of the point areas. */
export function hashPoints(count: u32): void {
  let i: u32 = 0
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= count; i += 4) {
      for (let lane: u32 = 0; lane < 4; lane++) writePoint(i + lane, TAILS + lane * BLOCK_BYTES)
      splitLanes(IV, LANE_STATES)
      compress4(LANE_STATES, TAILS, BLOCK_BYTES)
      joinLanes(LANE_STATES, HASHES + i * RISK_HASH_BYTES, RISK_HASH_BYTES)
    }
  }
  for (; i < count; i++) {
    writePoint(i, TAILS)
    memory.copy(STATE, IV, DIGEST_BYTES)
    compress(STATE, TAILS, 1)
    writeDigest(STATE, HASHES + i * RISK_HASH_BYTES, 3)
  }
}

@inline
function writePoint(i: u32, out: usize): void {
  const secret = SECRETS + load<u32>(POINT_SECRETS + (i << 2)) * SECRET_BYTES
  store<u64>(out, load<u64>(secret))
  store<u64>(out, load<u64>(secret, 8), 8)
  store<u64>(out, load<u64>(secret, 16), 16)
  store<u64>(out, load<u64>(secret, 24), 24)
  store<u32>(out, bswap(load<u32>(POINT_BLOCKS + (i << 2))), 32)
  store<u32>(out, bswap(((<u32>load<u8>(POINT_SIZES + i)) << 24) | RISK_HASH_TAG), 36)
  store<u64>(out, bswap<u64>(load<u64>(POINT_CELLS + (i << 3))), 40)
  store<u64>(out, 0x80, 48)
  store<u64>(out, bswap<u64>(BIT_LENGTH), 56)
}
