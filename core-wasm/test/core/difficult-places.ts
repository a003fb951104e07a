/**
 * Positions where a cell function may fail, found with h3-js at several scales. They lie around the centres of the 122
 * base cells, of which twelve are pentagons, and along the 30 face edges. Others lie at the 20 face centres, the poles
 * and the antimeridian.
 */
import { cellToLatLng, getPentagons, getRes0Cells } from 'h3-js'
import type { Draw, LatLng } from '../../src/testing/samples.ts'

export type Vector = readonly [number, number, number]

const EARTH_RADIUS_M = 6_371_007
/** Half a cell, three cells, six cells, a region. */
export const SCALES_M = [8, 30, 60, 50_000]

/** `perPlace` positions around each difficult place at each scale. */
export function* difficultPlaces(random: Draw, perPlace: number): Generator<LatLng> {
  const bases = getRes0Cells().map((cell) => toVector(cellToLatLng(cell)))
  const edges = faceEdges()
  const poles: Vector[] = [
    [0, 0, 1],
    [0, 0, -1],
  ]
  for (const scale of SCALES_M) {
    for (let i = 0; i < perPlace; i++) {
      for (const base of bases) yield near(base, scale, random)
      for (const pole of poles) yield near(pole, scale, random)
      for (const centre of faceCentres()) yield near(centre, scale, random)
      for (const [p, q] of edges) yield near(between(p, q, random), scale, random)
      yield near(toVector([random() * 180 - 90, 180]), scale, random)
    }
  }
}

/** The two ends of each edge. */
export function faceEdges(): [Vector, Vector][] {
  return pairs(getPentagons(0).map((cell) => toVector(cellToLatLng(cell))))
}

/** The face centres: sums of three mutually adjacent corners. */
export function faceCentres(): Vector[] {
  const corners = getPentagons(0).map((cell) => toVector(cellToLatLng(cell)))
  const edges = pairs(corners)
  const adjacent = (p: Vector, q: Vector) => edges.some(([x, y]) => x === p && y === q)
  return edges.flatMap(([p, q]) =>
    corners.filter((r) => adjacent(p, r) && adjacent(q, r)).map((r) => unit(add(add(p, q), r))),
  )
}

export function distanceM(p: Vector, q: Vector): number {
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]) * EARTH_RADIUS_M
}

export function toVector([lat, lng]: readonly number[]): Vector {
  const [phi, lambda] = [(lat! * Math.PI) / 180, (lng! * Math.PI) / 180]
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
}

/** The thirty pairs of adjacent corners, in index order. */
function pairs(corners: readonly Vector[]): [Vector, Vector][] {
  return corners.flatMap((p, i) =>
    corners
      .slice(i + 1)
      .filter((q) => dot(p, q) > 0.4)
      .map((q): [Vector, Vector] => [p, q]),
  )
}

/**
 * A point of the great circle from p to q. It lies anywhere, or at some scale close to an end, a quarter or the middle,
 * where the base cell changes.
 */
export function between(p: Vector, q: Vector, random: Draw): Vector {
  const quarter = Math.floor(random() * 5) / 4
  const share = random() < 0.5 ? random() : quarter + (random() < 0.5 ? 1 : -1) * 10 ** (-7 * random())
  const within = Math.min(1, Math.max(0, share))
  return unit(add(scaled(p, 1 - within), scaled(q, within)))
}

export function near(p: Vector, scaleM: number, random: Draw): LatLng {
  const size = scaleM / EARTH_RADIUS_M
  return toDegrees(unit(add(p, [gauss(random) * size, gauss(random) * size, gauss(random) * size])))
}

function gauss(random: Draw): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

const dot = (u: Vector, v: Vector) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
export const add = (u: Vector, v: Vector): Vector => [u[0] + v[0], u[1] + v[1], u[2] + v[2]]
const scaled = (u: Vector, k: number): Vector => [u[0] * k, u[1] * k, u[2] * k]
export const unit = (u: Vector): Vector => scaled(u, 1 / Math.sqrt(dot(u, u)))
export const toDegrees = (u: Vector): LatLng => [
  (Math.atan2(u[2], Math.hypot(u[0], u[1])) * 180) / Math.PI,
  (Math.atan2(u[1], u[0]) * 180) / Math.PI,
]
