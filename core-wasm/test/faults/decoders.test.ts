import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { decoders } from '../wire/corpus.ts'
import { fuzzDecoder } from '../wire/fuzz.ts'

/** Frames for each message of each protocol. */
const FRAMES = Number(process.env.FAULTS_FRAMES ?? 10_000_000)
/** Rosters get a tenth of the frames, because CBOR is some forty times as slow as a fixed layout. */
const ROSTERS = FRAMES / 10
const MIB = 1_048_576

describe('decoders with ten million frames, or as many as the environment says', () => {
  for (const [name, decode] of decoders()) {
    const frames = /^decode(Certified)?Roster$/.test(name) ? ROSTERS : FRAMES
    it(`${name} survives ${frames} random and mutated frames`, () => {
      const seed = randomInt(1, 2 ** 32 - 1)
      const before = process.cpuUsage()
      const { accepted, grownBytes } = fuzzDecoder(name, decode, frames, seed)
      const { user, system } = process.cpuUsage(before)
      const seconds = (user + system) / 1e6
      const rate = `${Math.round(frames / seconds)} a second of CPU, ${accepted} accepted`
      process.stdout.write(`${name}: ${frames} frames, ${rate}, heap ${(grownBytes / MIB).toFixed(1)} MiB more\n`)
      expect(accepted).toBeGreaterThan(0)
      expect(grownBytes).toBeLessThan(16 * MIB)
    })
  }
})
