import { randomInt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as wire from '../../src/wire/index.ts'
import { CORPUS, decoders } from './corpus.ts'
import { fuzzDecoder } from './fuzz.ts'

/** `npm run test:faults` feeds ten million frames. */
const FRAMES = 10_000
const MIB = 1_048_576

describe('every decoder of the wire', () => {
  it('every decoder has a valid frame in corpus.ts and decodes it', () => {
    expect(decoders().map(([name]) => name)).toEqual(expect.arrayContaining(Object.keys(CORPUS)))
    for (const [name, decode] of decoders()) {
      expect(CORPUS[name], `corpus.ts has no frame for ${name}`).toBeDefined()
      expect(() => decode(CORPUS[name]![0]!), name).not.toThrow()
    }
    const protocols = Object.entries(wire).filter(([name]) => name.endsWith('_PROTOCOL'))
    expect(protocols.length).toBeGreaterThanOrEqual(4)
  })

  for (const [name, decode] of decoders()) {
    it(`${name} decodes ${FRAMES} frames or refuses them with a typed error, and keeps none`, () => {
      const { accepted, grownBytes } = fuzzDecoder(name, decode, FRAMES, randomInt(1, 2 ** 32 - 1))
      expect(accepted).toBeGreaterThan(0)
      expect(accepted).toBeLessThan(FRAMES)
      expect(grownBytes).toBeLessThan(16 * MIB)
    })
  }
})
