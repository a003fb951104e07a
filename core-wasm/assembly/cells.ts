// A fix as its cells of layers A, B, C. PROTOCOL.md, cells. The caller has refused NaN, infinities and |lat| > 90.
// Every operation is an IEEE 754 double operation in the order written here, and sin and cos are compiled in, so the
// same degrees give the same cells on every machine. No state is kept between fixes.
import { FACE_STEPS } from './constants'
import { latticeToIndex } from './lattice'
import { FACES } from './tables'
import { cornerToVertex } from './vertices'

const RADIANS_PER_DEGREE: f64 = 0.017453292519943295
/** Moves a point of the plane a tenth of a micrometre towards the face's centre: much more than rounding errors. */
const INWARD: f64 = 1 - 1 / <f64>(1 << 22) / <f64>(1 << 22)
const FACE_COUNT: u32 = 20
const FACE_BYTES: u32 = 9 * 8
/** Above this no other face's centre can be as near: cos 20.9°, just inside a face's inscribed circle. */
const CERTAIN_COSINE: f64 = 0.9342
/** Neighbours of a lattice point, counter-clockwise from the a axis: steps in a, steps in b. */
const STEPS_A: usize = memory.data<i8>([1, 1, 0, -1, -1, 0])
const STEPS_B: usize = memory.data<i8>([0, 1, 1, 0, -1, -1])

/** Writes three ids at `out`: the cell, then the vertices of its two corners, ascending. */
export function fixToCells(lat: f64, lng: f64, out: usize): void {
  const phi = lat * RADIANS_PER_DEGREE
  const lambda = toPrincipal(lng) * RADIANS_PER_DEGREE
  const cosPhi = NativeMath.cos(phi)
  const x = cosPhi * NativeMath.cos(lambda)
  const y = cosPhi * NativeMath.sin(lambda)
  const z = NativeMath.sin(phi)
  const face = nearestFace(x, y, z)
  const at = FACES + face * FACE_BYTES
  const depth = dot(at, x, y, z)
  const a = dot(at + 24, x, y, z) / depth
  const b = dot(at + 48, x, y, z) / depth
  // On an edge of the face rounding may find a triangle just outside, at a corner even one that is no place on earth.
  if (!locate(face, a, b, out)) locate(face, a * INWARD, b * INWARD, out)
}

/** The same meridian in [-180, 180); exact. */
function toPrincipal(lng: f64): f64 {
  let principal = lng
  if (abs(principal) >= 360) principal %= 360
  if (principal >= 180) principal -= 360
  if (principal < -180) principal += 360
  return principal
}

/** The face whose centre is nearest; the lowest of those that are equally near. */
function nearestFace(x: f64, y: f64, z: f64): u32 {
  let nearest: u32 = 0
  let best: f64 = -2
  for (let face: u32 = 0; face < FACE_COUNT; face++) {
    const cosine = dot(FACES + face * FACE_BYTES, x, y, z)
    if (cosine > best) {
      best = cosine
      nearest = face
      if (cosine > CERTAIN_COSINE) break
    }
  }
  return nearest
}

@inline
function dot(at: usize, x: f64, y: f64, z: f64): f64 {
  return x * load<f64>(at) + y * load<f64>(at, 8) + z * load<f64>(at, 16)
}

/**
 * From the plane of a face: the nearest lattice point, the side of its hexagon that the fix looks at, its corners. False
 * when the triangle of centre and side lies outside the face.
 */
function locate(face: u32, a: f64, b: f64, out: usize): bool {
  // Three coordinates with b + c = a, each rounded; where that breaks the sum, the worst gives way.
  const c = a - b
  let nearA = nearest(a)
  let nearB = nearest(b)
  const nearC = nearest(c)
  if (nearB + nearC != nearA) {
    const errorA = abs(nearA - a)
    const errorB = abs(nearB - b)
    const errorC = abs(nearC - c)
    if (errorA >= errorB && errorA >= errorC) nearA = nearB + nearC
    else if (errorB >= errorC) nearB = nearA - nearC
  }
  let pointA = <i32>nearA
  let pointB = <i32>nearB
  let index = latticeToIndex(face, pointA, pointB)
  let side = sideOf(a - nearA, b - nearB)
  if (reach(side, a - nearA, b - nearB) >= 1) {
    // Exactly on the boundary: of the cells that meet here, the lowest index.
    let lowest: u32 = 6
    for (let k: u32 = 0; k < 6; k++) {
      if (reach(k, a - nearA, b - nearB) < 1) continue
      const other = latticeToIndex(face, pointA + stepA(k), pointB + stepB(k))
      if (other >= index) continue
      index = other
      lowest = k
    }
    if (lowest < 6) {
      pointA += stepA(lowest)
      pointB += stepB(lowest)
      side = sideOf(a - <f64>pointA, b - <f64>pointB)
    }
  }
  if (!isInside(pointA, pointB, side)) return false
  writeCells(face, pointA, pointB, index, side, out)
  return true
}

/** Edges of a face never cut a triangle, so its middle, a third of the way to the neighbour, decides. */
function isInside(a: i32, b: i32, side: u32): bool {
  const thriceA = 3 * a + stepA(side)
  const thriceB = 3 * b + stepB(side)
  return thriceA + thriceB - 3 * min(min(thriceA, thriceB), 0) < 3 * FACE_STEPS
}

/** Twice the distance from the centre towards neighbour `side`: 1 on the side itself. */
function reach(side: u32, da: f64, db: f64): f64 {
  const axis = side % 3
  const along = axis == 0 ? 2 * da - db : axis == 1 ? da + db : 2 * db - da
  return side < 3 ? along : -along
}

/** The side whose triangle holds the offset; of equally near ones the lowest. */
function sideOf(da: f64, db: f64): u32 {
  let side: u32 = 0
  let furthest = reach(0, da, db)
  for (let k: u32 = 1; k < 6; k++) {
    const along = reach(k, da, db)
    if (along > furthest) {
      furthest = along
      side = k
    }
  }
  return side
}

/** The ids of the cell and of the two ends of its side `side`. Corner k lies between neighbours k and k + 1. */
function writeCells(face: u32, a: i32, b: i32, index: u64, side: u32, out: usize): void {
  const before = (side + 5) % 6
  const after = (side + 1) % 6
  const across = latticeToIndex(face, a + stepA(side), b + stepB(side))
  const first = corner(face, a, b, side, index, across, latticeToIndex(face, a + stepA(after), b + stepB(after)))
  const second = corner(face, a, b, before, index, latticeToIndex(face, a + stepA(before), b + stepB(before)), across)
  store<u64>(out, index)
  store<u64>(out, min(first, second), 8)
  store<u64>(out, max(first, second), 16)
}

/** Corner k of (a, b), met by that cell, its neighbour k and its neighbour k + 1: the lowest of the three owns it. */
function corner(face: u32, a: i32, b: i32, k: u32, cell: u64, right: u64, left: u64): u64 {
  if (cell < right && cell < left) return cornerToVertex(cell, face, a, b, k)
  if (right < left) return cornerToVertex(right, face, a + stepA(k), b + stepB(k), k + 2)
  const next = (k + 1) % 6
  return cornerToVertex(left, face, a + stepA(next), b + stepB(next), k + 4)
}

@inline
function stepA(k: u32): i32 {
  return load<i8>(STEPS_A + k)
}

@inline
function stepB(k: u32): i32 {
  return load<i8>(STEPS_B + k)
}
