/**
 * The difficult places by kind, and the borders of regions, where the smallest step changes the shard. All come from h3-js
 * alone.
 */
import { cellToLatLng, cellToParent, getPentagons, getRes0Cells, latLngToCell } from 'h3-js'
import { anywhere, type Draw, type LatLng } from '../../src/testing/samples.ts'
import {
  add,
  between,
  distanceM,
  faceCentres,
  faceEdges,
  near,
  toDegrees,
  toVector,
  unit,
  type Vector,
} from './difficult-places.ts'

/** A region is about 50 km wide. */
const REGION_M = 40_000
/** The precision with which a border is found. */
const BORDER_M = 1

/** A random place of each kind. */
export const DIFFICULT_KINDS: Readonly<Record<string, (random: Draw) => Vector>> = {
  pentagons: oneOf(getPentagons(12).map(centreOf)),
  'base-cell centres': oneOf(getRes0Cells().map(centreOf)),
  'face centres': oneOf(faceCentres()),
  'face edges': (random) => between(...oneOf(faceEdges())(random), random),
  'region borders': regionBorder,
  poles: oneOf([
    [0, 0, 1],
    [0, 0, -1],
  ]),
  'the antimeridian': (random) => toVector([random() * 180 - 90, 180]),
}

/** A position at most `metres` from a place; nearer positions are more likely. */
export function within(place: Vector, metres: number, random: Draw): LatLng {
  for (;;) {
    const at = near(place, metres / 2, random)
    if (distanceM(place, toVector(at)) <= metres) return at
  }
}

/** A position on a border: two positions of different regions, halved until they are close. */
function regionBorder(random: Draw): Vector {
  let one = toVector(anywhere(random))
  let other = one
  while (regionOf(one) === regionOf(other)) other = toVector(near(one, REGION_M, random))
  while (distanceM(one, other) > BORDER_M) {
    const middle = unit(add(one, other))
    if (regionOf(middle) === regionOf(one)) one = middle
    else other = middle
  }
  return one
}

function regionOf(place: Vector): string {
  return cellToParent(latLngToCell(...toDegrees(place), 12), 4)
}

function centreOf(cell: string): Vector {
  return toVector(cellToLatLng(cell))
}

function oneOf<T>(all: readonly T[]): (random: Draw) => T {
  return (random) => all[Math.floor(random() * all.length)]!
}
