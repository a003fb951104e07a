/**
 * The thirty risk hashes of one fix: the rows to deposit and, later, the links from a mark back to the diary.
 * README "What is stored". Throws STORAGE_CORRUPT. The key of the record is the 5-minute block of the fix. That block
 * determines all ten time blocks, because 5 divides every size.
 *
 *  struct HashedFix { u8 roster[2][8]; u8 hash[3 layers][5 sizes][2 lags][12] }   // roster of the fix's epoch, of the next
 */
import { FederationError } from '@geotrace/core-wasm'
import {
  BLOCK_SIZES_MIN,
  blockToEpoch,
  bytesToHex,
  concatBytes,
  LAG_CURRENT,
  LAG_NEXT,
  RISK_HASH_BYTES,
  RISK_POINTS_PER_FIX,
  ROSTER_NAME_BYTES,
} from '@geotrace/core-wasm/wire'
import { FIX_BLOCK_MIN, fixBlockToEpoch } from './fix-block.ts'

export interface HashedFix {
  /** The fix's 5-minute block. */
  block: number
  /** Names of the rosters in force for the fix's epoch and the one after it. */
  rosters: [Uint8Array, Uint8Array]
  /** 30 × 12 bytes. */
  hashes: Uint8Array
}

/** One hash of one fix. */
export interface FixRow {
  epoch: number
  roster: Uint8Array
  hash: Uint8Array
  /** `hash` in hex, for maps. */
  key: string
  size: number
  lags: number
}

const HEAD_BYTES = 2 * ROSTER_NAME_BYTES
const HASHED_FIX_BYTES = HEAD_BYTES + RISK_POINTS_PER_FIX * RISK_HASH_BYTES

export function encodeHashedFix({ rosters, hashes }: HashedFix): Uint8Array {
  return concatBytes(...rosters, hashes)
}

/** Throws STORAGE_CORRUPT. */
export function decodeHashedFix(block: number, bytes: Uint8Array): HashedFix {
  if (bytes.length !== HASHED_FIX_BYTES) {
    const message = `the hashes of a fix expected ${HASHED_FIX_BYTES} bytes, got ${bytes.length}`
    throw new FederationError('STORAGE_CORRUPT', message, { what: 'hashes' })
  }
  return {
    block,
    rosters: [bytes.subarray(0, ROSTER_NAME_BYTES), bytes.subarray(ROSTER_NAME_BYTES, HEAD_BYTES)],
    hashes: bytes.subarray(HEAD_BYTES),
  }
}

/** The thirty rows, in the order of layers, sizes, lags. */
export function hashedFixToRows({ block, rosters, hashes }: HashedFix): FixRow[] {
  const first = fixBlockToEpoch(block)
  return Array.from({ length: RISK_POINTS_PER_FIX }, (_, i) => {
    const lag = i % 2
    const size = BLOCK_SIZES_MIN[Math.floor(i / 2) % BLOCK_SIZES_MIN.length]!
    const epoch = blockToEpoch(size, Math.floor((block * FIX_BLOCK_MIN) / size) + lag)
    const hash = hashes.subarray(i * RISK_HASH_BYTES, (i + 1) * RISK_HASH_BYTES)
    const roster = rosters[epoch - first]!
    return { epoch, roster, hash, key: bytesToHex(hash), size, lags: lag === 0 ? LAG_CURRENT : LAG_NEXT }
  })
}
