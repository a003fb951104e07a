/** The grid against h3-js, which shares no code with it. */
import fc from 'fast-check'
import {
  cellToBoundary,
  cellToCenterChild,
  cellToChildPos,
  cellToParent,
  childPosToCell,
  getRes0Cells,
  isPentagon,
  latLngToCell,
} from 'h3-js'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Core, loadCore } from '../../src/index.ts'
import { NOWHERE, spreadGrid } from '../../src/spread/index.ts'
import { regionToBase, spreadBuckets, spreadToProblem } from '../../src/wire/index.ts'

const toIndex = (cell: string): bigint => BigInt(`0x${cell}`)
const toText = (cell: bigint): string => cell.toString(16)
const resolution = fc.integer({ min: 5, max: 8 })
const place = fc.record({
  lat: fc.double({ min: -89, max: 89, noNaN: true }),
  lng: fc.double({ min: -180, max: 180, noNaN: true }),
})
const spread = { periodDays: 7, minimum: 200, epsilon: 1_000 }

describe('the grid of a spread', () => {
  let core: Core
  beforeAll(async () => void (core = await loadCore()))
  const regionOf = (parent: string): number => core.cellToRegion(toIndex(cellToCenterChild(parent, 12)))

  it('a place falls into the bucket that h3-js counts', () => {
    fc.assert(
      fc.property(place, place, resolution, ({ lat, lng }, other, r) => {
        const [cell] = core.fixToCells(lat, lng)
        const parent = cellToParent(toText(cell), 4)
        const elsewhere = latLngToCell(other.lat, other.lng, 4)
        fc.pre(parent !== elsewhere && !isPentagon(parent) && !isPentagon(elsewhere))
        const areas = [regionOf(parent), regionOf(elsewhere)].sort((a, b) => a - b)
        const grid = spreadGrid(areas, r)
        const own = areas.indexOf(regionOf(parent))
        const position = cellToChildPos(cellToParent(toText(cell), r), 4)
        expect(grid.bucketOf(cell)).toBe(1 + own * 7 ** (r - 4) + position)
        expect(spreadGrid([regionOf(elsewhere)], r).bucketOf(cell)).toBe(NOWHERE)
        expect(toText(grid.cellOf(grid.bucketOf(cell)))).toBe(cellToParent(toText(cell), r))
      }),
      { numRuns: 200 },
    )
  })

  it('every bucket stands for one cell of h3-js, and for no other', () => {
    const parent = latLngToCell(48.2, 11.6, 4)
    const grid = spreadGrid([regionOf(parent)], 7)
    expect(grid.buckets).toBe(343)
    const cells = Array.from({ length: grid.buckets }, (_, i) => toText(grid.cellOf(i + 1)))
    expect(cells).toEqual(Array.from({ length: 343 }, (_, i) => childPosToCell(i, parent, 7)))
    for (const [i, cell] of cells.entries()) {
      expect(cellToBoundary(cell).length).toBeGreaterThan(5)
      expect(grid.bucketOf(toIndex(cellToCenterChild(cell, 12)))).toBe(i + 1)
    }
    for (const none of [0, 344, 1.5, -1]) expect(() => grid.cellOf(none)).toThrow(RangeError)
  })

  it('the cell of a region is the one that the core numbers, near pentagons too', () => {
    const bases = getRes0Cells()
      .map(toIndex)
      .sort((a, b) => (a < b ? -1 : 1))
    const offsets = bases.map((base) => core.cellToRegion(toIndex(cellToCenterChild(toText(base), 12))))
    const regions = offsets.flatMap((first) => [first, first + 1, first + 6, first + 41, first + 286, first + 2_000])
    for (const region of regions) {
      const cell = toText(spreadGrid([region], 5).cellOf(1))
      expect(regionOf(cellToParent(cell, 4))).toBe(region)
      expect(isPentagon(cellToParent(cell, 4))).toBe(
        spreadToProblem({ ...spread, areas: [region], resolution: 5 }) !== undefined,
      )
    }
    for (const none of [-1, 0.5, 288_122]) expect(() => regionToBase(none)).toThrow(RangeError)
    expect(regionToBase(288_121).baseCell).toBe(121)
  })

  it('areas in disorder, too many cells and too many dummies are no spread', () => {
    const ask = (areas: number[], r: number, epsilon = 1_000) =>
      spreadToProblem({ ...spread, areas, resolution: r, epsilon })
    const areas = (count: number) => Array.from({ length: count }, (_, i) => 100 + i)
    expect(ask([5, 6], 5)).toBeUndefined()
    expect(ask([6, 5], 5)).toMatch(/ascending/)
    expect(ask([5, 5], 5)).toMatch(/ascending/)
    for (const [count, r] of [
      [5, 8],
      [35, 7],
      [245, 6],
      [1_715, 5],
    ] as const) {
      expect(spreadBuckets({ areas: areas(count), resolution: r })).toBe(12_005)
      expect(ask(areas(count), r)).toBeUndefined()
      expect(ask(areas(count + 1), r)).toMatch(/at most 12005 cells/)
    }
    expect(ask(areas(5), 8, 500)).toBeUndefined()
    expect(ask(areas(5), 8, 300)).toMatch(/dummies/)
  })
})
