/** Randomness as an argument, like the clock: a caller at the edge passes the system's generator, a test a seeded one. */

/** Returns `length` uniform bytes. */
export type Random = (length: number) => Uint8Array
