// Risk hashes: one SHA-256 block for each risk point, cut to twelve bytes. PROTOCOL.md, risk hash.
import { HASHES, OPENINGS, POINT_CELLS, POINT_SLOTS, SECRETS, SLOT_BLOCKS, SLOT_SIZES, STATE, TAILS } from './areas'
import { DIGEST_BYTES, OPENING_BYTES, RISK_HASH_BYTES, RISK_HASH_TAG, SECRET_BYTES } from './constants'
import { hash4, open4 } from './risk-hash-lanes'
import { compress, IV, writeDigest } from './sha256'

const BIT_LENGTH: u64 = 384

/**
 * The hashes of the first `count` points. A point is a cell and a slot; a slot is a secret with its block and size. The
 * last vector may be partly empty: what lies in the areas there is hashed too, and not looked at.
 */
export function hashPoints(count: u32, slots: u32): void {
  if (ASC_FEATURE_SIMD) {
    for (let i: u32 = 0; i < slots; i += 4) {
      open4(SECRETS + i * SECRET_BYTES, SLOT_BLOCKS + (i << 2), SLOT_SIZES + i, OPENINGS + i * OPENING_BYTES)
    }
    for (let i: u32 = 0; i < count; i += 4) {
      const slot = POINT_SLOTS + (i << 1)
      hash4(POINT_CELLS + (i << 3), opening(slot, 0), opening(slot, 2), opening(slot, 4), opening(slot, 6), HASHES + i * RISK_HASH_BYTES)
    }
  } else {
    for (let i: u32 = 0; i < count; i++) {
      writeMessage(i, TAILS)
      memory.copy(STATE, IV, DIGEST_BYTES)
      compress(STATE, TAILS, 1)
      writeDigest(STATE, HASHES + i * RISK_HASH_BYTES, 3)
    }
  }
}

@inline
function opening(slot: usize, offset: usize): usize {
  return OPENINGS + <usize>load<u16>(slot + offset) * OPENING_BYTES
}

@inline
function writeMessage(i: u32, out: usize): void {
  const slot = <u32>load<u16>(POINT_SLOTS + (i << 1))
  const secret = SECRETS + slot * SECRET_BYTES
  store<u64>(out, load<u64>(secret))
  store<u64>(out, load<u64>(secret, 8), 8)
  store<u64>(out, load<u64>(secret, 16), 16)
  store<u64>(out, load<u64>(secret, 24), 24)
  store<u32>(out, bswap(load<u32>(SLOT_BLOCKS + (slot << 2))), 32)
  store<u32>(out, bswap(((<u32>load<u8>(SLOT_SIZES + slot)) << 24) | RISK_HASH_TAG), 36)
  store<u64>(out, bswap<u64>(load<u64>(POINT_CELLS + (i << 3))), 40)
  store<u64>(out, 0x80, 48)
  store<u64>(out, bswap<u64>(BIT_LENGTH), 56)
}
