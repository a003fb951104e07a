import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochOf, loadCore } from '../../src/index.ts'

const MINUTE_MS = 60_000
const SIZES = [5, 10, 20, 40, 80]
const time = fc.integer({ min: 0, max: 4_000_000_000_000 })
const core = await loadCore()

describe('time blocks', () => {
  it('a time has ten blocks: for each size the block that holds the time, and the next one', () => {
    fc.assert(
      fc.property(time, (at) => {
        const blocks = core.timeToBlocks(at)
        expect(blocks.map(({ size, lag }) => [size, lag])).toEqual(
          SIZES.flatMap((size) => [
            [size, 0],
            [size, 1],
          ]),
        )
        for (const { size, n, lag } of blocks) {
          const startMs = (n - lag) * size * MINUTE_MS
          expect(startMs <= at && at < startMs + size * MINUTE_MS).toBe(true)
        }
      }),
    )
  })

  it('a block ends exactly at the minute that its size divides', () => {
    for (const size of SIZES) {
      const edge = 1_000_000 * size * MINUTE_MS
      const at = (ms: number) => core.timeToBlocks(ms).find((block) => block.size === size)?.n
      expect([at(edge - 1), at(edge), at(edge + 0.5)]).toEqual([999_999, 1_000_000, 1_000_000])
    }
  })

  it('a block lies in exactly one epoch, which holds its start and its last moment', () => {
    fc.assert(
      fc.property(fc.constantFrom(...SIZES), fc.nat(0x7fffffff), (size, n) => {
        const epoch = epochOf(size, n)
        expect(epoch * 80).toBeLessThanOrEqual(n * size)
        expect((n + 1) * size).toBeLessThanOrEqual((epoch + 1) * 80)
      }),
    )
  })
})
