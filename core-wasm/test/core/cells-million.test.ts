import { createHash } from 'node:crypto'
import { latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { loadCore } from '../../src/index.ts'
import { anywhere, type LatLng, reference, seeded } from '../../src/testing/index.ts'
import { difficultPlaces, SCALES_M } from './difficult-places.ts'
import { isOnBoundary } from './margin.ts'

const POSITIONS = 1_000_000
const GOLDEN_POSITIONS = 100_000
const PER_DIFFICULT_PLACE = 400
const DIFFICULT_PLACES = SCALES_M.length * (122 + 2 + 20 + 30 + 1)

const scalar = await loadCore({ build: 'scalar' })
const simd = await loadCore({ build: 'simd' })
const oracle = reference()

describe('a million positions', () => {
  it('a million positions all over the earth lie in the cells of h3-js, in both builds', () => {
    const random = seeded(1)
    const positions = Array.from({ length: POSITIONS }, () => anywhere(random))
    expect(differences(positions, 80)).toEqual([])
  })

  it('positions around base cells, face edges, face centres, poles and antimeridian lie in the cells of h3-js', () => {
    const positions = [...difficultPlaces(seeded(2), PER_DIFFICULT_PLACE)]
    expect(positions.length).toBe(PER_DIFFICULT_PLACE * DIFFICULT_PLACES)
    expect(differences(positions, 6)).toEqual([])
  })

  it('the ids of a million positions have the digest of every other engine, in both builds', () => {
    // Only exact operations make the positions, so they do not depend on the sine of the host.
    const random = seeded(3)
    const degrees = (range: number) => Math.floor((random() - 0.5) * range * 1e7) / 1e7
    const [hash, otherHash] = [createHash('sha256'), createHash('sha256')]
    for (let i = 0; i < GOLDEN_POSITIONS; i++) {
      const at: LatLng = [degrees(180), degrees(360)]
      hash.update(BigUint64Array.from(simd.fixToCells(...at)))
      otherHash.update(BigUint64Array.from(scalar.fixToCells(...at)))
    }
    const golden = '6eb06d9d014be44c726c44e5cc7162c9c503d38894ce55e6f9213c1f79207a19'
    expect([hash.digest('hex'), otherHash.digest('hex')]).toEqual([golden, golden])
  })
})

/**
 * The first positions where the builds differ from each other, from the cell of h3-js or from the corners of the reference.
 * Corners are compared at every n-th position, because h3-js needs some 50 µs for them. Positions on a boundary are left
 * out.
 */
function differences(positions: readonly LatLng[], cornersEvery: number): string[] {
  return positions
    .filter((at, i) => {
      const [cell, first, second] = simd.fixToCells(...at)
      const [otherCell, otherFirst, otherSecond] = scalar.fixToCells(...at)
      if (cell !== otherCell || first !== otherFirst || second !== otherSecond) return true
      if (cell !== BigInt(`0x${latLngToCell(...at, 12)}`)) return !isOnBoundary(at)
      if (i % cornersEvery > 0) return false
      const wanted = oracle.fixToCells(...at)
      return (first !== wanted[1] || second !== wanted[2]) && !isOnBoundary(at)
    })
    .slice(0, 10)
    .map((at) => at.join(' '))
}
