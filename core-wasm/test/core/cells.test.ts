import {
  cellToChildren,
  cellToLatLng,
  cellToParent,
  cellToVertexes,
  getPentagons,
  getRes0Cells,
  latLngToCell,
  vertexToLatLng,
} from 'h3-js'
import { describe, expect, it } from 'vitest'
import { loadCore, REGION_COUNT } from '../../src/index.ts'
import { anywhere, type LatLng, seeded } from '../../src/testing/index.ts'
import { difficultPlaces } from './difficult-places.ts'
import { isOnBoundary } from './margin.ts'
import { PLACES } from './places.ts'
import { protocolCells } from './protocol-cells.ts'

describe.each(['simd', 'scalar'] as const)('cells (%s build)', async (build) => {
  const core = await loadCore({ build })

  it.each(PLACES)(
    'the cell, corners and regions of $name are the known ones',
    ({ lat, lng, cell, corners, regions }) => {
      const [a, ...others] = core.fixToCells(lat, lng)
      expect(toText(a)).toBe(cell)
      expect(others.map(toText)).toEqual([...corners].sort())
      expect(new Set([a, ...others].map(core.cellToRegion))).toEqual(new Set(regions))
    },
  )
})

describe('cells', async () => {
  const core = await loadCore()

  // The exact centres of base cells have no leading digit, and an earlier table lacked them.
  it('the centres of all cells of resolution 0 … 3 have the cells and regions of h3-js', () => {
    const coarse = [0, 1, 2, 3].flatMap((resolution) =>
      getRes0Cells().flatMap((base) => cellToChildren(base, resolution)),
    )
    expect(coarse.length).toBe(122 + 842 + 5_882 + 41_162)
    for (const parent of coarse) {
      const at = cellToLatLng(parent) as LatLng
      const ids = core.fixToCells(...at)
      if (toText(ids[0]) !== latLngToCell(...at, 12)) expect.fail(`${parent}: ${toText(ids[0])}`)
      if (!isOneTriangle(ids)) expect.fail(`${parent}: corners ${ids.map(toText)}`)
    }
  })

  it('a position exactly on a corner, a side or a centre has one hexagon and the two ends of one of its sides', () => {
    const random = seeded(51)
    const anyCells = Array.from({ length: 2_000 }, () => latLngToCell(...anywhere(random), 12))
    const difficultCells = [...difficultPlaces(random, 4)].map((at) => latLngToCell(...at, 12))
    for (const cell of [...anyCells, ...difficultCells, ...getPentagons(12)]) {
      const corners = cellToVertexes(cell).map((id) => vertexToLatLng(id))
      const [p, q] = [corners[0]!, corners[1]!]
      const places: LatLng[] = [...corners, cellToLatLng(cell), [(p[0]! + q[0]!) / 2, (p[1]! + q[1]!) / 2]]
      for (const at of places) {
        const ids = core.fixToCells(...at)
        if (!isOneTriangle(ids)) expect.fail(`${at}: ${ids.map(toText)}`)
        // Half a millimetre further north the ids may differ, but the two positions always share one id.
        expect(core.fixToCells(at[0] + 5e-9, at[1]).some((id) => ids.includes(id))).toBe(true)
      }
    }
  })

  it('the core finds the cells that PROTOCOL.md and its published tables give', () => {
    const random = seeded(53)
    const positions = [...Array.from({ length: 8_000 }, () => anywhere(random)), ...difficultPlaces(random, 8)]
    for (const at of positions) {
      const [ids, wanted] = [core.fixToCells(...at), protocolCells(...at)]
      if (ids.some((id, layer) => id !== wanted[layer]) && !isOnBoundary(at)) expect.fail(`${at}: ${ids.map(toText)}`)
    }
  })

  it('each cell of resolution 4 is one region, numbered in the order of the indexes', () => {
    let next = 0
    for (const base of getRes0Cells().sort()) {
      for (const region of cellToChildren(base, 4).sort()) {
        // With all finer digits zero, this is the cell of resolution 12 at the region's centre.
        const finest = (BigInt(`0x${region}`) & ~(15n << 52n) & ~(0xffffffn << 9n)) | (12n << 52n)
        if (core.cellToRegion(finest) !== next++) expect.fail(`region ${region}`)
      }
    }
    expect(next).toBe(REGION_COUNT)
  })

  it('a corner has the region of its owner, which is not always the coarse cell around the corner', () => {
    const random = seeded(52)
    let elsewhere = 0
    for (let i = 0; i < 2_000; i++) {
      const at = anywhere(random)
      const [cell] = core.fixToCells(...at)
      if (cellToParent(toText(cell), 4) !== latLngToCell(...at, 4)) elsewhere++
    }
    expect(elsewhere / 2_000).toBeGreaterThan(0.04)
    expect(elsewhere / 2_000).toBeLessThan(0.09)
  })
})

/** Whether the last two ids are neighbouring corners of the first, ascending. */
function isOneTriangle([cell, first, second]: readonly bigint[]): boolean {
  const corners = cellToVertexes(toText(cell!)).map((id) => BigInt(`0x${id}`))
  const [i, j] = [corners.indexOf(first!), corners.indexOf(second!)]
  const apart = Math.abs(i - j)
  return i >= 0 && j >= 0 && first! < second! && (apart === 1 || apart === corners.length - 1)
}

function toText(id: bigint): string {
  return id.toString(16)
}
