// Numbers of the core. PROTOCOL.md, cells, time, risk hash.

/** Entries of every batch area: cells, points, digests. Chosen to fit a level-2 cache. */
export const BATCH: u32 = 256

export const CELLS_PER_FIX: u32 = 3
export const SIZES: u32 = 5
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
