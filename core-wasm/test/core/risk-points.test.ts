import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { epochOf, loadCore, type RiskPoints, type Salting } from '../../src/index.ts'
import { type Reading, randomBytes, reference, seeded, walk } from '../../src/testing/index.ts'

const core = await loadCore()
const SALTINGS: readonly Salting[] = ['plain', 'threshold']
/** Two positions nearer than this always share an id: half the spacing of the smallest cells. PROTOCOL.md §3. */
const ALWAYS_SHARED_M = 6.4
/** Two positions farther than this never share an id: 2/√3 of the spacing of the largest cells. */
const NEVER_SHARED_M = 25

const reading = fc.record({
  lat: fc.double({ min: -89, max: 89, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
  at: fc.integer({ min: 0, max: 2_000_000_000_000 }),
})
/** Fixes at few places and times, so that they share cells and blocks. */
const neighbours = fc.array(
  fc.record({
    lat: fc.integer({ min: 0, max: 3 }).map((step) => 51.5 + step * 0.00005),
    lng: fc.integer({ min: 0, max: 3 }).map((step) => -0.12 + step * 0.00005),
    at: fc.integer({ min: 0, max: 40 }).map((step) => 1_760_000_000_000 + step * 200_000),
  }),
  { maxLength: 20 },
)

describe('risk points', () => {
  it('the risk points of many fixes are the merged risk points of each fix alone', () => {
    fc.assert(
      fc.property(neighbours, fc.constantFrom(...SALTINGS), (fixes, salting) => {
        const merged = toMap(core.fixesToRiskPoints(fixes, salting))
        const singles = new Map<string, number>()
        for (const fix of fixes) {
          for (const [key, lags] of toMap(core.fixesToRiskPoints([fix], salting))) {
            singles.set(key, (singles.get(key) ?? 0) | lags)
          }
        }
        expect(merged).toEqual(singles)
      }),
    )
  })

  it('the risk points do not depend on the order of the fixes', () => {
    fc.assert(
      fc.property(neighbours, fc.constantFrom(...SALTINGS), fc.nat(), (fixes, salting, seed) => {
        const random = seeded(seed)
        const shuffled = fixes.map((fix) => ({ fix, rank: random() })).sort((x, y) => x.rank - y.rank)
        const other = core.fixesToRiskPoints(
          shuffled.map(({ fix }) => fix),
          salting,
        )
        const points = core.fixesToRiskPoints(fixes, salting)
        expect(toMap(other)).toEqual(toMap(points))
        expect(toSecrets(other).sort()).toEqual(toSecrets(points).sort())
      }),
    )
  })

  it('risk points and the secrets they need stand in the order of their first appearance', () => {
    for (const salting of SALTINGS) {
      const points = core.fixesToRiskPoints(walk(seeded(41), 600, 3, 5), salting)
      for (const order of [points.ofFix, points.secretIndex]) {
        let next = 0
        for (const number of order) {
          expect(number).toBeLessThanOrEqual(next)
          if (number === next) next++
        }
        expect(next).toBe(order === points.ofFix ? points.count : points.needed.count)
      }
    }
  })

  it('risk points and secrets have the numbers of the reference for any return to a region', () => {
    const oracle = reference()
    const travels = fc.array(
      fc.record({
        lat: fc.constantFrom(51.5, 51.50003, 48.2, -33.9),
        lng: fc.constantFrom(-0.12, -0.11997, 16.4),
        at: fc.integer({ min: 0, max: 30 }).map((step) => 1_760_000_000_000 + step * 290_000),
      }),
      { maxLength: 15 },
    )
    fc.assert(
      fc.property(travels, fc.constantFrom(...SALTINGS), (fixes, salting) => {
        expect(core.fixesToRiskPoints(fixes, salting)).toEqual(oracle.fixesToRiskPoints(fixes, salting))
      }),
      { numRuns: 150 },
    )
  })

  it('each fix has 30 risk points in the order layer, size, lag', () => {
    fc.assert(
      fc.property(reading, (fix) => {
        const points = core.fixesToRiskPoints([fix], 'plain')
        const cells = core.fixToCells(fix.lat, fix.lng)
        const blocks = core.timeToBlocks(fix.at)
        expect(points.ofFix.length).toBe(30)
        points.ofFix.forEach((point, i) => {
          const block = blocks[i % 10]!
          const got = [points.cells[point], points.sizes[point], points.blocks[point]]
          expect(got).toEqual([cells[Math.floor(i / 10)], block.size, block.n])
          expect(points.lags[point]! & (1 << block.lag)).toBeGreaterThan(0)
        })
      }),
    )
  })

  // A fault of an earlier version took block 0 for the block after "none yet".
  it('a fix in the first minutes of 1970 gives 30 risk points', () => {
    const { blocks, ofFix } = core.fixesToRiskPoints([{ lat: 0, lng: 0, at: 0 }], 'plain')
    expect(Array.from(ofFix, (point) => blocks[point])).toEqual(Array.from({ length: 30 }, (_, i) => i % 2))
  })

  it('a risk point names the secret of its region and block (plain) or of its cell and epoch (threshold)', () => {
    for (const salting of SALTINGS) {
      const points = core.fixesToRiskPoints(walk(seeded(42), 100, 20_000, 5), salting)
      const secrets = toSecrets(points)
      for (let i = 0; i < points.count; i++) {
        const [cell, size, n] = [points.cells[i]!, points.sizes[i]!, points.blocks[i]!]
        const wanted = salting === 'plain' ? `${core.cellToRegion(cell)} ${size} ${n}` : `${cell} ${epochOf(size, n)}`
        expect(secrets[points.secretIndex[i]!]).toBe(wanted)
      }
      expect(new Set(secrets).size).toBe(points.needed.count)
    }
  })

  it('a person who stays has a fifth to a half as many risk points', () => {
    const still = core.fixesToRiskPoints(walk(seeded(43), 36, 0, 0), 'plain').count
    const noisy = core.fixesToRiskPoints(walk(seeded(43), 36, 0, 5), 'plain').count
    expect((36 * 30) / still).toBeGreaterThan(4)
    expect((36 * 30) / noisy).toBeGreaterThan(2)
  })

  it('a batch of risk points has the hashes of each risk point alone', () => {
    fc.assert(
      fc.property(neighbours, fc.constantFrom(...SALTINGS), (fixes, salting) => {
        const points = core.fixesToRiskPoints(fixes, salting)
        const secrets = randomBytes(seeded(44), points.needed.count * 32)
        const hashes = core.hashRiskPoints(points, secrets)
        for (let i = 0; i < points.count; i++) {
          const at = points.secretIndex[i]! * 32
          const alone = core.riskHash(secrets.slice(at, at + 32), points.cells[i]!, points.sizes[i]!, points.blocks[i]!)
          expect(hashes.slice(i * 12, i * 12 + 12)).toEqual(alone)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('hashing refuses risk points with arrays that are too short or with a secret that does not exist', () => {
    const points = core.fixesToRiskPoints(walk(seeded(45), 3, 0, 0), 'plain')
    const secrets = new Uint8Array(points.needed.count * 32)
    const broken: Partial<RiskPoints>[] = [
      { count: points.count + 1 },
      { cells: points.cells.slice(1) },
      { sizes: points.sizes.slice(1) },
      { blocks: points.blocks.slice(1) },
      { secretIndex: points.secretIndex.slice(1) },
      { secretIndex: points.secretIndex.with(0, points.needed.count) },
    ]
    for (const part of broken) expect(() => core.hashRiskPoints({ ...points, ...part }, secrets)).toThrow(RangeError)
  })
})

describe('two positions', () => {
  const nearby = (maxM: number) =>
    fc.tuple(
      reading,
      fc.double({ min: 0, max: maxM, noNaN: true }),
      fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }),
    )

  it('two positions closer than 6.4 m always share an id, and so a region', () => {
    fc.assert(
      fc.property(nearby(ALWAYS_SHARED_M), ([fix, metres, bearing]) => {
        const shared = sharedCells(fix, moved(fix, metres, bearing))
        expect(shared.length).toBeGreaterThan(0)
      }),
      { numRuns: 8_000 },
    )
  })

  it('two fixes more than 25 m apart share no cell', () => {
    fc.assert(
      fc.property(nearby(1_000), ([fix, metres, bearing]) => {
        expect(sharedCells(fix, moved(fix, NEVER_SHARED_M + metres, bearing))).toEqual([])
      }),
      { numRuns: 3_000 },
    )
  })

  it('two longitudes a full turn apart give the same cells', () => {
    fc.assert(
      fc.property(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -3, max: 3 }), (lat, turns) => {
        for (const lng of [-180, -90, 0.5, 179.5]) {
          expect(core.fixToCells(lat, lng + 360 * turns)).toEqual(core.fixToCells(lat, lng))
        }
      }),
    )
  })
})

function toMap(points: RiskPoints): Map<string, number> {
  return new Map(
    Array.from(points.cells, (cell, i) => [`${cell} ${points.sizes[i]} ${points.blocks[i]}`, points.lags[i]!] as const),
  )
}

function toSecrets({ needed }: RiskPoints): string[] {
  return needed.salting === 'plain'
    ? Array.from(needed.regions, (region, i) => `${region} ${needed.sizes[i]} ${needed.blocks[i]}`)
    : Array.from(needed.cells, (cell, i) => `${cell} ${needed.epochs[i]}`)
}

function moved(fix: Reading, metres: number, bearing: number): Reading {
  const degrees = metres / 111_195
  const lat = fix.lat + Math.cos(bearing) * degrees
  const middle = (((fix.lat + lat) / 2) * Math.PI) / 180
  return { ...fix, lat, lng: fix.lng + (Math.sin(bearing) * degrees) / Math.cos(middle) }
}

function sharedCells(one: Reading, other: Reading): bigint[] {
  const cells = core.fixToCells(other.lat, other.lng)
  return core.fixToCells(one.lat, one.lng).filter((cell) => cells.includes(cell))
}
