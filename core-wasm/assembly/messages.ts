// SHA-256 and HMAC-SHA256 (RFC 2104, one key) of batches of messages of equal length. FIPS 180-4 §5.1.1 padding.
import { DIGESTS, INNER, KEEP, KEY, LANE_STATES, MESSAGES, MESSAGES_BYTES, OUTER, PADDING, STATE, TAILS } from './areas'
import { assertFits } from './bounds'
import { BATCH, BLOCK_BYTES, DIGEST_BYTES } from './constants'
import { compress, IV, writeDigest } from './sha256'
import { compress4, joinLanes, splitLanes } from './sha256-lanes'

const TAIL_BYTES: u32 = 2 * BLOCK_BYTES
const INNER_PAD: u8 = 0x36
const OUTER_PAD: u8 = 0x5c

/** The digests of `count` messages of `length` bytes, laid end to end. */
export function sha256Messages(count: u32, length: u32): void {
  assertMessages(count, length)
  hashAll(MESSAGES, count, length, IV, 0)
}

/** The HMACs of the same messages. KEY holds one block: the key padded with zeros. */
export function hmacMessages(count: u32, length: u32): void {
  assertMessages(count, length)
  keyState(INNER, INNER_PAD)
  keyState(OUTER, OUTER_PAD)
  hashAll(MESSAGES, count, length, INNER, BLOCK_BYTES)
  hashAll(DIGESTS, count, DIGEST_BYTES, OUTER, BLOCK_BYTES)
}

/** Checks each factor against its bound, so that their product cannot overflow. */
function assertMessages(count: u32, length: u32): void {
  assertFits(count, BATCH)
  assertFits(length, MESSAGES_BYTES)
  assertFits(count * length, MESSAGES_BYTES)
}

function keyState(state: usize, pad: u8): void {
  for (let i: u32 = 0; i < BLOCK_BYTES; i++) store<u8>(TAILS + i, load<u8>(KEY + i) ^ pad)
  memory.copy(state, IV, DIGEST_BYTES)
  compress(state, TAILS, 1)
}

/** Digests of messages at `from`, from a state that has hashed `before` bytes. A message may overlap its own digest. */
function hashAll(from: usize, count: u32, length: u32, start: usize, before: u32): void {
  const tailBytes = prepareTail(length, before)
  let i: u32 = 0
  if (ASC_FEATURE_SIMD) {
    for (; i + 4 <= count; i += 4) hashFour(from + i * length, length, start, tailBytes, DIGESTS + i * DIGEST_BYTES)
  }
  for (; i < count; i++) hashOne(from + i * length, length, start, tailBytes, DIGESTS + i * DIGEST_BYTES)
}

function hashOne(message: usize, length: u32, start: usize, tailBytes: u32, out: usize): void {
  const whole = length / BLOCK_BYTES
  writeTail(message + whole * BLOCK_BYTES, tailBytes, TAILS)
  memory.copy(STATE, start, DIGEST_BYTES)
  compress(STATE, message, whole)
  compress(STATE, TAILS, tailBytes / BLOCK_BYTES)
  writeDigest(STATE, out, 8)
}

/** Lane k is message k. The four messages lie `length` bytes apart, their tails TAIL_BYTES apart. */
function hashFour(messages: usize, length: u32, start: usize, tailBytes: u32, out: usize): void {
  const whole = length - (length % BLOCK_BYTES)
  for (let lane: u32 = 0; lane < 4; lane++) {
    writeTail(messages + lane * length + whole, tailBytes, TAILS + lane * TAIL_BYTES)
  }
  splitLanes(start, LANE_STATES)
  for (let at: u32 = 0; at < whole; at += BLOCK_BYTES) compress4(LANE_STATES, messages + at, length)
  for (let at: u32 = 0; at < tailBytes; at += BLOCK_BYTES) compress4(LANE_STATES, TAILS + at, TAIL_BYTES)
  joinLanes(LANE_STATES, out)
}

/**
 * The tail after the last whole block, equal for all messages of a length. KEEP has ones over the message's own bytes;
 * PADDING has 0x80, zeros and the bit length. Returns the length of the tail: one block or two.
 */
function prepareTail(length: u32, before: u32): u32 {
  const rest = length % BLOCK_BYTES
  const bytes: u32 = rest < BLOCK_BYTES - 8 ? BLOCK_BYTES : TAIL_BYTES
  memory.fill(KEEP, 0, TAIL_BYTES)
  memory.fill(KEEP, 0xff, rest)
  memory.fill(PADDING, 0, TAIL_BYTES)
  store<u8>(PADDING + rest, 0x80)
  store<u64>(PADDING + bytes - 8, bswap<u64>((<u64>before + length) << 3))
  return bytes
}

function writeTail(rest: usize, bytes: u32, out: usize): void {
  if (ASC_FEATURE_SIMD) {
    for (let at: u32 = 0; at < bytes; at += 16) {
      v128.store(out + at, v128.or(v128.and(v128.load(rest + at), v128.load(KEEP + at)), v128.load(PADDING + at)))
    }
    return
  }
  for (let at: u32 = 0; at < bytes; at += 8) {
    store<u64>(out + at, (load<u64>(rest + at) & load<u64>(KEEP + at)) | load<u64>(PADDING + at))
  }
}
