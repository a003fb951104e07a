// The static areas through which the host and the core exchange bytes, and the core's scratch. All areas are one block of
// memory, so that one fill wipes every secret. The module never allocates.
import {
  BATCH,
  BLOCK_BYTES,
  CELLS_PER_FIX,
  DIGEST_BYTES,
  FIXES,
  OPENING_BYTES,
  POINTS,
  POINTS_PER_CELL,
  RISK_HASH_BYTES,
  SECRET_BYTES,
  SIZES,
} from './constants'

/** Bytes for a chunk of messages of equal length, and so the length of the longest message. */
export const MESSAGES_BYTES: u32 = 16384

/** Entries of the table that finds the slot of a secret: a power of two, and more than the slots. */
export const SLOT_PLACES: u32 = 512

const FIXES_BYTES: u32 = FIXES * 8
const CELLS_BYTES: u32 = FIXES * CELLS_PER_FIX * 8
const REGIONS_BYTES: u32 = FIXES * CELLS_PER_FIX * 4
const BLOCKS_BYTES: u32 = FIXES * SIZES * 4
const FRESH: u32 = FIXES * CELLS_PER_FIX * POINTS_PER_CELL
const SECRETS_BYTES: u32 = BATCH * SECRET_BYTES
const DIGESTS_BYTES: u32 = BATCH * DIGEST_BYTES

// Input: fixes (degrees, degrees, Unix ms).
const O_LATS: u32 = 0
const O_LNGS: u32 = O_LATS + FIXES_BYTES
const O_TIMES: u32 = O_LNGS + FIXES_BYTES
// Output: three cells per fix, the region of each, the current block of each size; cell and block of all thirty points.
const O_CELLS: u32 = O_TIMES + FIXES_BYTES
const O_REGIONS: u32 = O_CELLS + CELLS_BYTES
const O_BLOCKS: u32 = O_REGIONS + REGIONS_BYTES
const O_FRESH_CELLS: u32 = O_BLOCKS + BLOCKS_BYTES
const O_FRESH_BLOCKS: u32 = O_FRESH_CELLS + FRESH * 8
// Input: risk points. Output: the slot of each point. A slot is the number of a secret, with a block and a size.
const O_POINT_CELLS: u32 = O_FRESH_BLOCKS + FRESH * 4
const O_POINT_BLOCKS: u32 = O_POINT_CELLS + POINTS * 8
const O_POINT_SECRETS: u32 = O_POINT_BLOCKS + POINTS * 4
const O_POINT_SLOTS: u32 = O_POINT_SECRETS + POINTS * 4
const O_POINT_SIZES: u32 = O_POINT_SLOTS + POINTS * 2
const O_SLOT_PLACES: u32 = O_POINT_SIZES + POINTS
const O_SLOT_SECRETS: u32 = O_SLOT_PLACES + SLOT_PLACES * 2
const O_SLOT_BLOCKS: u32 = O_SLOT_SECRETS + BATCH * 4
const O_SLOT_SIZES: u32 = O_SLOT_BLOCKS + BATCH * 4
// Input: the secrets of the slots. Output: risk hashes, with space for the extra word that the last vector writes.
const O_SECRETS: u32 = O_SLOT_SIZES + BATCH
const O_HASHES: u32 = O_SECRETS + SECRETS_BYTES
const O_MESSAGES: u32 = O_HASHES + POINTS * RISK_HASH_BYTES + 16
const O_KEY: u32 = O_MESSAGES + MESSAGES_BYTES
const O_DIGESTS: u32 = O_KEY + BLOCK_BYTES
// Scratch: message schedule; running states (one, four lanes); states after a key's block; padded tails of four
// messages; masks of a message's last vectors and their padding; openings.
const O_SCHEDULE: u32 = O_DIGESTS + DIGESTS_BYTES
const O_STATE: u32 = O_SCHEDULE + 64 * 4
const O_LANE_STATES: u32 = O_STATE + DIGEST_BYTES
const O_INNER: u32 = O_LANE_STATES + 4 * DIGEST_BYTES
const O_OUTER: u32 = O_INNER + DIGEST_BYTES
const O_TAILS: u32 = O_OUTER + DIGEST_BYTES
const O_KEEP: u32 = O_TAILS + 4 * 2 * BLOCK_BYTES
const O_PADDING: u32 = O_KEEP + 2 * BLOCK_BYTES
const O_OPENINGS: u32 = O_PADDING + 2 * BLOCK_BYTES
const WORK_BYTES: u32 = O_OPENINGS + (ASC_FEATURE_SIMD ? BATCH * OPENING_BYTES : 0)

const WORK: usize = memory.data(WORK_BYTES, 16)

export const LATS: usize = WORK + O_LATS
export const LNGS: usize = WORK + O_LNGS
export const TIMES: usize = WORK + O_TIMES
export const CELLS: usize = WORK + O_CELLS
export const REGIONS: usize = WORK + O_REGIONS
export const BLOCKS: usize = WORK + O_BLOCKS
export const FRESH_CELLS: usize = WORK + O_FRESH_CELLS
export const FRESH_BLOCKS: usize = WORK + O_FRESH_BLOCKS
export const POINT_CELLS: usize = WORK + O_POINT_CELLS
export const POINT_BLOCKS: usize = WORK + O_POINT_BLOCKS
export const POINT_SECRETS: usize = WORK + O_POINT_SECRETS
export const POINT_SLOTS: usize = WORK + O_POINT_SLOTS
export const POINT_SIZES: usize = WORK + O_POINT_SIZES
export const PLACES: usize = WORK + O_SLOT_PLACES
export const SLOT_SECRETS: usize = WORK + O_SLOT_SECRETS
export const SLOT_BLOCKS: usize = WORK + O_SLOT_BLOCKS
export const SLOT_SIZES: usize = WORK + O_SLOT_SIZES
export const SECRETS: usize = WORK + O_SECRETS
export const HASHES: usize = WORK + O_HASHES
export const MESSAGES: usize = WORK + O_MESSAGES
export const KEY: usize = WORK + O_KEY
export const DIGESTS: usize = WORK + O_DIGESTS
export const SCHEDULE: usize = WORK + O_SCHEDULE
export const STATE: usize = WORK + O_STATE
export const LANE_STATES: usize = WORK + O_LANE_STATES
export const INNER: usize = WORK + O_INNER
export const OUTER: usize = WORK + O_OUTER
export const TAILS: usize = WORK + O_TAILS
export const KEEP: usize = WORK + O_KEEP
export const PADDING: usize = WORK + O_PADDING
export const OPENINGS: usize = WORK + O_OPENINGS

export function wipeAreas(): void {
  memory.fill(WORK, 0, WORK_BYTES)
}

/** Zeroes only the areas of fixes, which come first. */
export function wipeFixAreas(): void {
  memory.fill(WORK, 0, O_POINT_CELLS)
}
