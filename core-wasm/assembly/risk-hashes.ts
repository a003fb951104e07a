// Risk hashes: one SHA-256 block for each risk point, cut to 12 bytes. PROTOCOL.md §3.5.
import {
  HASHES,
  OPENINGS,
  PLACES,
  POINT_BLOCKS,
  POINT_CELLS,
  POINT_SECRETS,
  POINT_SIZES,
  POINT_SLOTS,
  SECRETS,
  SLOT_BLOCKS,
  SLOT_PLACES,
  SLOT_SECRETS,
  SLOT_SIZES,
  STATE,
  TAILS,
} from './areas'
import { assertFits } from './bounds'
import { BATCH, DIGEST_BYTES, OPENING_BYTES, POINTS, RISK_HASH_BYTES, RISK_HASH_TAG, SECRET_BYTES } from './constants'
import { hash4, open4 } from './risk-hash-lanes'
import { compress, IV, writeDigest } from './sha256'

const BIT_LENGTH: u64 = 384

/**
 * Gives each of `count` points a slot. Points with the same secret, block and size may share a slot. Ends early when no
 * slot is left. Returns the number of points with a slot, times 65536, plus the number of used slots.
 */
export function assignSlots(count: u32): u32 {
  assertFits(count, POINTS)
  memory.fill(PLACES, 0, SLOT_PLACES * 2)
  let slots: u32 = 0
  let i: u32 = 0
  for (; i < count; i++) {
    const secret = load<u32>(POINT_SECRETS + (i << 2))
    const n = load<u32>(POINT_BLOCKS + (i << 2))
    const size = load<u8>(POINT_SIZES + i)
    const place = PLACES + ((secret & (SLOT_PLACES - 1)) << 1)
    // The slot plus one; 0 means none.
    let known = <u32>load<u16>(place)
    if (
      known == 0 ||
      load<u32>(SLOT_SECRETS + (known << 2) - 4) != secret ||
      load<u32>(SLOT_BLOCKS + (known << 2) - 4) != n ||
      load<u8>(SLOT_SIZES + known - 1) != size
    ) {
      if (slots == BATCH) break
      store<u32>(SLOT_SECRETS + (slots << 2), secret)
      store<u32>(SLOT_BLOCKS + (slots << 2), n)
      store<u8>(SLOT_SIZES + slots, <u8>size)
      known = ++slots
      store<u16>(place, <u16>known)
    }
    store<u16>(POINT_SLOTS + (i << 1), <u16>(known - 1))
  }
  return (i << 16) | slots
}

/**
 * Hashes the first `count` points, which have slots. SECRETS holds the secrets of the first `slots` slots. The last vector
 * can be partly empty: it hashes whatever the areas contain there, and nobody reads that result.
 */
export function hashPoints(count: u32, slots: u32): void {
  assertFits(count, POINTS)
  assertFits(slots, BATCH)
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
