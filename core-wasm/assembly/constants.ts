// Numbers of the core. PROTOCOL.md, cells, time, risk hash.

/** Entries of the areas of messages' digests and of slots. All areas together fit a level-2 cache. */
export const BATCH: u32 = 256
/** Fixes at a time. */
export const FIXES: u32 = 64
/** Risk points to hash at a time; they share slots, so there are more of them. */
export const POINTS: u32 = 1024

export const CELLS_PER_FIX: u32 = 3
export const SIZES: u32 = 5
/** Of one cell of a fix: the current and the next block of each size. */
export const POINTS_PER_CELL: u32 = 10
/** The shortest time block; each following size is twice the one before. */
export const SHORTEST_SIZE_MIN: u32 = 5
export const MINUTE_MS: f64 = 60000

export const SECRET_BYTES: u32 = 32
export const RISK_HASH_BYTES: u32 = 12
export const DIGEST_BYTES: u32 = 32
export const BLOCK_BYTES: u32 = 64

/** What all points of one (secret, block, size) share of their hash's computation: risk-hash-lanes.ts. */
export const OPENING_BYTES: u32 = 80
/** "GT" and the version of the risk hash, under the size in word 9. */
export const RISK_HASH_TAG: u32 = 0x475401

/** Lattice steps from a face's centre to its corner: 2 * 7^6. */
export const FACE_STEPS: i32 = 235298

export const REGION_NONE: u32 = 0xffffffff
