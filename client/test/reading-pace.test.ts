import type { Fix } from '@geotrace/core-wasm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nextReadingAt } from '../src/reading-pace.ts'

const BLOCK = 5 * 60_000
const DAY = 24 * 60 * 60_000
const START = Date.UTC(2026, 11, 1)
const DAYS = 2
/** Metres north for each block of the two days: pieces of a day, at rest or on foot. */
const life = fc
  .array(fc.record({ blocks: fc.integer({ min: 1, max: 60 }), speed: fc.constantFrom(0, 0, 400) }), { minLength: 40 })
  .map((pieces) => {
    const steps = pieces.flatMap(({ blocks, speed }) => Array.from({ length: blocks }, () => speed))
    let north = 0
    return Array.from({ length: (DAYS * DAY) / BLOCK }, (_, i) => (north += steps[i % steps.length]!))
  })

/** Reads a life as the plan says, each position some seconds after its block begins. */
function read(norths: readonly number[], fixesPerDay: number, from = START): Fix[] {
  const fixes: Fix[] = []
  for (let at = from; at < START + DAYS * DAY; at = nextReadingAt(fixes, at, fixesPerDay)) {
    const north = norths[Math.floor((at - START) / BLOCK)]!
    fixes.push({ lat: 52.5 + north / 111_195, lng: 13.4, accuracyM: 5, at: at + 20_000 })
  }
  return fixes
}

const toBlocks = (fixes: readonly Fix[]) => new Set(fixes.map(({ at }) => Math.floor(at / BLOCK)))

describe('the pace of readings', () => {
  it('a plan never gives a UTC day more fixes than its budget, and leaves no quarter of an hour without one', () => {
    fc.assert(
      fc.property(life, fc.integer({ min: 96, max: 288 }), (norths, fixesPerDay) => {
        const fixes = read(norths, fixesPerDay)
        for (let day = 0; day < DAYS; day++) {
          const count = fixes.filter(({ at }) => Math.floor((at - START) / DAY) === day).length
          expect(count).toBeLessThanOrEqual(fixesPerDay)
        }
        for (const [i, { at }] of fixes.entries())
          if (i > 0) expect(at - fixes[i - 1]!.at).toBeLessThanOrEqual(3 * BLOCK)
      }),
      { numRuns: 12 },
    )
  })

  it('two people who stay twenty minutes at one place have a fix in the same five minutes', () => {
    fc.assert(
      fc.property(life, life, fc.nat(100), fc.nat(570), (one, other, late, block) => {
        const [a, b] = [toBlocks(read(one, 120)), toBlocks(read(other, 96, START + late * BLOCK))]
        const first = START / BLOCK + Math.max(late, block - 4)
        expect([0, 1, 2, 3].some((i) => a.has(first + i) && b.has(first + i))).toBe(true)
      }),
      { numRuns: 12 },
    )
  })

  it('a person on the way is read every five minutes while the budget lasts, and a person at rest every fifteen', () => {
    const count = (DAYS * DAY) / BLOCK
    const moving = Array.from({ length: count }, (_, i) => 400 * i)
    expect(read(moving, 288)).toHaveLength(count)
    // Two more until two fixes are known.
    expect(
      read(
        Array.from({ length: count }, () => 0),
        288,
      ),
    ).toHaveLength(96 * DAYS + 1)
    expect(read(moving, 96)).toHaveLength(96 * DAYS)
  })

  it('a budget below one fix for each quarter of an hour is refused', () => {
    expect(() => nextReadingAt([], START, 95)).toThrow(RangeError)
  })
})
