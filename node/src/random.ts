/** Randomness as an argument; the default at the edge is the system's CSPRNG, and there is no fallback. */
import { randomBytes } from 'node:crypto'

/** Returns `length` uniform bytes. */
export type Random = (length: number) => Uint8Array

export const systemRandom: Random = (length) => new Uint8Array(randomBytes(length))
