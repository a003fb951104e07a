/** The system's CSPRNG as a `Random` argument. It has no fallback. */
import { randomFillSync } from 'node:crypto'
import type { Random } from '@geotrace/core-wasm'

/** Draws into a buffer outside the heap that V8 moves, so that wiping a seed leaves no copy. */
export const systemRandom: Random = (length) => randomFillSync(new Uint8Array(new ArrayBuffer(length)))
