/** Randomness as an argument, like the clock: an edge passes the system's generator, a test passes a seeded generator. */

/** Returns `length` uniform bytes. */
export type Random = (length: number) => Uint8Array
