/**
 * The distance of a position from the lines where its cells change. These are the sides of its hexagon and the lines from
 * its centre to its corners. Two correct programs may differ below 1 µm. Near a face centre h3-js itself loses digits, so
 * there they may differ below 5 mm.
 */
import { cellToLatLng, cellToVertexes, latLngToCell, vertexToLatLng } from 'h3-js'
import type { LatLng } from '../../src/testing/samples.ts'
import { distanceM, faceCentres, toVector } from './difficult-places.ts'

const EARTH_RADIUS_M = 6_371_007
const BAND_M = 1e-6
const BAND_NEAR_FACE_CENTRE_M = 5e-3
const NEAR_FACE_CENTRE_M = 10_000

/** Whether a difference from h3-js is no mistake here. */
export function isOnBoundary(at: LatLng): boolean {
  const p = toVector(at)
  const nearCentre = faceCentres().some((centre) => distanceM(p, centre) < NEAR_FACE_CENTRE_M)
  return marginM(at) < (nearCentre ? BAND_NEAR_FACE_CENTRE_M : BAND_M)
}

function marginM(at: LatLng): number {
  const p = toVector(at)
  const cell = latLngToCell(...at, 12)
  const centre = toVector(cellToLatLng(cell))
  const corners = cellToVertexes(cell).map((id) => toVector(vertexToLatLng(id)))
  const lines = corners.flatMap((corner, k) => [
    [centre, corner] as const,
    [corner, corners[(k + 1) % corners.length]!] as const,
  ])
  return Math.min(...lines.map(([u, v]) => Math.abs(distanceToLine(p, u, v)))) * EARTH_RADIUS_M
}

type Vector = ReturnType<typeof toVector>

/** The distance of p from the great circle through u and v, in earth radii. It uses differences, which lose no digits. */
function distanceToLine(p: Vector, u: Vector, v: Vector): number {
  const along = minus(v, u)
  return dot(u, cross(along, minus(p, u))) / Math.hypot(...along)
}

const minus = (u: Vector, v: Vector): Vector => [u[0] - v[0], u[1] - v[1], u[2] - v[2]]
const dot = (u: Vector, v: Vector) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
const cross = (u: Vector, v: Vector): Vector => [
  u[1] * v[2] - u[2] * v[1],
  u[2] * v[0] - u[0] * v[2],
  u[0] * v[1] - u[1] * v[0],
]
