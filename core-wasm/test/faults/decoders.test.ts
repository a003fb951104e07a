import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decoders } from '../wire/corpus.ts'
import { fuzzDecoder } from '../wire/fuzz.ts'

const FRAMES = 10_000_000
/** Rosters are CBOR, some forty times as slow as a fixed layout. */
const ROSTERS = 1_000_000
const MIB = 1_048_576

describe('ten million frames', () => {
  for (const [name, decode] of decoders()) {
    const frames = /^decode(Certified)?Roster$/.test(name) ? ROSTERS : FRAMES
    it(`${name}: ${frames} random and bent frames`, () => {
      const seed = randomInt(1, 2 ** 32 - 1)
      const started = process.hrtime.bigint()
      const { accepted, grownBytes } = fuzzDecoder(name, decode, frames, seed)
      const seconds = Number(process.hrtime.bigint() - started) / 1e9
      process.stdout.write(
        `${name}: ${frames} frames in ${seconds.toFixed(0)} s, ${accepted} accepted, heap ${(grownBytes / MIB).toFixed(1)} MiB\n`,
      )
      expect(accepted).toBeGreaterThan(0)
      expect(grownBytes).toBeLessThan(16 * MIB)
    })
  }
})
