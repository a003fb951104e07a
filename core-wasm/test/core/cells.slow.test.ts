import { latLngToCell } from 'h3-js'
import { describe, expect, it } from 'vitest'
import { loadCore } from '../../src/index.ts'
import { anywhere, type LatLng, reference, seeded } from '../../src/testing/index.ts'
import { DIFFICULT_KINDS, within } from './difficult-kinds.ts'
import { difficultPlaces } from './difficult-places.ts'
import { isOnBoundary } from './margin.ts'

const POSITIONS = 10_000_000
const CHUNK = 10_000
/** Corners are compared at every n-th position, because h3-js needs some 50 µs for them. */
const CORNERS_EVERY = 100
const PER_DIFFICULT_PLACE = 1_500
const PER_DIFFICULT_KIND = 100_000
/** Few positions for each place, because h3-js needs a while to find the border of a region. */
const PER_PLACE = 10

const scalar = await loadCore({ build: 'scalar' })
const simd = await loadCore({ build: 'simd' })
const oracle = reference()

describe('ten million positions', () => {
  it('ten million positions all over the earth lie in the cells of h3-js, in both builds', () => {
    const random = seeded(71)
    for (let from = 0; from < POSITIONS; from += CHUNK) {
      check(Array.from({ length: CHUNK }, () => anywhere(random)))
    }
  }, 3_600_000)

  it('positions around every kind of difficult place lie in the cells of h3-js, in both builds', () => {
    let chunk: LatLng[] = []
    for (const at of difficultPlaces(seeded(72), PER_DIFFICULT_PLACE)) {
      if (chunk.push(at) < CHUNK) continue
      check(chunk)
      chunk = []
    }
    check(chunk)
  }, 3_600_000)
})

describe('a hundred thousand positions within 30 m of difficult places', () => {
  it.each(Object.entries(DIFFICULT_KINDS))(
    'positions near difficult places of kind %s lie in the cells and regions of h3-js, in both builds',
    (_, placeOf) => {
      const random = seeded(73)
      for (let from = 0; from < PER_DIFFICULT_KIND; from += CHUNK) {
        const places = Array.from({ length: CHUNK / PER_PLACE }, () => placeOf(random))
        const positions = places.flatMap((place) => Array.from({ length: PER_PLACE }, () => within(place, 30, random)))
        check(positions)
      }
    },
    3_600_000,
  )
})

/**
 * Checks that both builds agree, that layer A equals h3-js, and that some corners and regions equal the reference.
 * Positions on a boundary are left out.
 */
function check(positions: readonly LatLng[]): void {
  const lats = Float64Array.from(positions, ([lat]) => lat)
  const lngs = Float64Array.from(positions, ([, lng]) => lng)
  const cells = simd.latLngsToCells(lats, lngs)
  const others = scalar.latLngsToCells(lats, lngs)
  positions.forEach((at, i) => {
    const ids = simd.fixToCells(...at)
    if (scalar.fixToCells(...at).some((id, layer) => id !== ids[layer])) expect.fail(`builds differ: ${at.join(' ')}`)
    const [cell, first, second] = ids
    const isRight = cell === cells[i] && cell === others[i] && cell === BigInt(`0x${latLngToCell(...at, 12)}`)
    if (!isRight && !isOnBoundary(at)) expect.fail(at.join(' '))
    if (i % CORNERS_EVERY > 0) return
    const wanted = oracle.fixToCells(...at)
    if ((first !== wanted[1] || second !== wanted[2]) && !isOnBoundary(at)) expect.fail(at.join(' '))
    // The region of an id, which does not depend on a boundary near the position.
    for (const id of ids) if (simd.cellToRegion(id) !== oracle.cellToRegion(id)) expect.fail(`region of ${id}`)
  })
}
