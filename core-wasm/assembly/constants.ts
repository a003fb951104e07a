// Numbers of the core. PROTOCOL.md §3.

/** Entries of the areas for digests and slots. All areas together fit a level-2 cache. */
export const BATCH: u32 = 256
/** Fixes in one call. */
export const FIXES: u32 = 64
/** Risk points in one call. Points share slots, so there are more points than slots. */
export const POINTS: u32 = 1024

export const CELLS_PER_FIX: u32 = 3
export const SIZES: u32 = 5
/** Points of one cell of a fix: the current and the next block of each size. */
export const POINTS_PER_CELL: u32 = 10
/** Minutes of the shortest time block. Each following size is twice the size before. */
export const SHORTEST_SIZE_MIN: u32 = 5
export const MINUTE_MS: f64 = 60000

export const SECRET_BYTES: u32 = 32
export const RISK_HASH_BYTES: u32 = 12
export const DIGEST_BYTES: u32 = 32
export const BLOCK_BYTES: u32 = 64

/** Bytes of an opening, the part of a hash's computation that all points of one (secret, block, size) share. */
export const OPENING_BYTES: u32 = 80
/** "GT" and the version of the risk hash: the low bytes of word 9, below the size. */
export const RISK_HASH_TAG: u32 = 0x475401

/** Lattice steps from the centre of a face to its corner: 2 * 7^6. */
export const FACE_STEPS: i32 = 235298

export const REGION_NONE: u32 = 0xffffffff
