/** Randomness as an argument; the default at the edge is the system's CSPRNG, and there is no fallback. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'

/** Drawn in place, outside the engine's heap: of a seed there is one copy, and who wipes it leaves none. */
export const systemRandom: Random = (length) => randomFillSync(new Uint8Array(new ArrayBuffer(length)))
