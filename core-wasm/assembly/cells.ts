// A fix as its cells of layers A, B, C. PROTOCOL.md §3.1. The caller refuses NaN, infinities and |lat| > 90.
// Every operation is an IEEE 754 double operation in the order written here, and sin and cos are compiled in. So equal
// degrees give equal cells on every machine, after any earlier call.
import { CELLS, LATS, LNGS } from './areas'
import { assertFits } from './bounds'
import { CELLS_PER_FIX, FACE_STEPS, FIXES } from './constants'
import { latticeToIndex, neighbourToIndex, wipeLattice } from './lattice'
import { FACES } from './tables'
import { cornerToVertex } from './vertices'

const RADIANS_PER_DEGREE: f64 = 0.017453292519943295
/** A factor that moves a point of the plane 0.1 µm towards the face's centre, much more than rounding errors. */
const INWARD: f64 = 1 - 1 / <f64>(1 << 22) / <f64>(1 << 22)
const FACE_COUNT: u32 = 20
const FACE_BYTES: u32 = 9 * 8
/** Cosine of an angle between the distances of centres of neighbouring faces (41.8°) and of the next faces (70.5°). */
const NEIGHBOUR_COSINE: f64 = 0.5
/** A face that is nearer than its neighbours by this much is the nearest of all. Far more than rounding errors. */
const SURE: f64 = 1e-9
/** The three neighbours of each face. */
const NEIGHBOURS: usize = memory.data(FACE_COUNT * 3)
writeNeighbours()

/** The results of `project` and `locate`: a place on a face's plane; a lattice point, its index, a side of its hexagon. */
let planeA: f64 = 0
let planeB: f64 = 0
let nearA: i32 = 0
let nearB: i32 = 0
let nearIndex: u64 = 0
let nearSide: u32 = 0
let furthestReach: f64 = 0
/** The neighbours of a lattice point, counter-clockwise from the a axis: steps in a, steps in b. */
const STEPS_A: usize = memory.data<i8>([1, 1, 0, -1, -1, 0])
const STEPS_B: usize = memory.data<i8>([0, 1, 1, 0, -1, -1])

/** LATS, LNGS → three ids for each of `count` fixes: the cell, then the vertices of its two corners, ascending. */
export function fixesToCells(count: u32): void {
  assertFits(count, FIXES)
  let face: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    face = fixToCells(load<f64>(LATS + (i << 3)), load<f64>(LNGS + (i << 3)), face, CELLS + i * CELLS_PER_FIX * 8)
  }
}

/** LATS, LNGS → the cell of layer A for each of `count` fixes. */
export function fixesToHexagons(count: u32): void {
  assertFits(count, FIXES)
  let face: u32 = 0
  for (let i: u32 = 0; i < count; i++) {
    face = project(load<f64>(LATS + (i << 3)), load<f64>(LNGS + (i << 3)), face)
    if (!locate(face, planeA, planeB)) locate(face, planeA * INWARD, planeB * INWARD)
    store<u64>(CELLS + (i << 3), nearIndex)
  }
}

/** Returns the face of the fix. `guess` is the face to try first and does not influence the result. */
function fixToCells(lat: f64, lng: f64, guess: u32, out: usize): u32 {
  const face = project(lat, lng, guess)
  // On an edge of the face, rounding can find a triangle just outside; at a corner, one that is no place on earth.
  if (!locate(face, planeA, planeB)) locate(face, planeA * INWARD, planeB * INWARD)
  writeCells(face, nearA, nearB, nearIndex, nearSide, out)
  return face
}

/** Sets planeA and planeB, and returns the face. */
function project(lat: f64, lng: f64, guess: u32): u32 {
  NativeMath.sincos(lat * RADIANS_PER_DEGREE)
  const cosPhi = NativeMath.sincos_cos
  const z = NativeMath.sincos_sin
  NativeMath.sincos(toPrincipal(lng) * RADIANS_PER_DEGREE)
  const x = cosPhi * NativeMath.sincos_cos
  const y = cosPhi * NativeMath.sincos_sin
  let face = guess
  let depth = dot(FACES + face * FACE_BYTES, x, y, z)
  if (!isSurelyNearest(face, depth, x, y, z)) {
    face = nearestFace(x, y, z)
    depth = dot(FACES + face * FACE_BYTES, x, y, z)
  }
  const at = FACES + face * FACE_BYTES
  planeA = dot(at + 24, x, y, z) / depth
  planeB = dot(at + 48, x, y, z) / depth
  return face
}

/** The same meridian in [-180, 180), without rounding. */
function toPrincipal(lng: f64): f64 {
  let principal = lng
  if (abs(principal) >= 360) principal %= 360
  if (principal >= 180) principal -= 360
  if (principal < -180) principal += 360
  return principal
}

function writeNeighbours(): void {
  let out = NEIGHBOURS
  for (let face: u32 = 0; face < FACE_COUNT; face++) {
    const at = FACES + face * FACE_BYTES
    for (let other: u32 = 0; other < FACE_COUNT; other++) {
      const cosine = dot(FACES + other * FACE_BYTES, load<f64>(at), load<f64>(at, 8), load<f64>(at, 16))
      if (other != face && cosine > NEIGHBOUR_COSINE) store<u8>(out++, <u8>other)
    }
  }
}

/** Only the three neighbours bound a face: if all three are clearly farther, all other faces are. */
function isSurelyNearest(face: u32, depth: f64, x: f64, y: f64, z: f64): bool {
  const three = NEIGHBOURS + face * 3
  const limit = depth - SURE
  const first = limit > dot(FACES + <u32>load<u8>(three) * FACE_BYTES, x, y, z)
  const second = limit > dot(FACES + <u32>load<u8>(three, 1) * FACE_BYTES, x, y, z)
  const third = limit > dot(FACES + <u32>load<u8>(three, 2) * FACE_BYTES, x, y, z)
  return <bool>(<i32>first & <i32>second & <i32>third)
}

/**
 * The face with the nearest centre; of equally near faces the lowest. The code has no branches, because a processor
 * cannot predict them. It compares bits: those of positive doubles are ordered as the numbers are, and the cosine of the
 * nearest face is positive.
 */
function nearestFace(x: f64, y: f64, z: f64): u32 {
  let nearest: u32 = 0
  let best: i64 = -1
  for (let face: u32 = 0; face < FACE_COUNT; face++) {
    const cosine = reinterpret<i64>(dot(FACES + face * FACE_BYTES, x, y, z))
    const isNearer = cosine > best
    best = select<i64>(cosine, best, isNearer)
    nearest = select<u32>(face, nearest, isNearer)
  }
  return nearest
}

@inline
function dot(at: usize, x: f64, y: f64, z: f64): f64 {
  return x * load<f64>(at) + y * load<f64>(at, 8) + z * load<f64>(at, 16)
}

/**
 * Finds, on the plane of a face, the nearest lattice point, its index, and the side of its hexagon towards the fix. Sets
 * nearA, nearB, nearIndex, nearSide. False when the triangle of centre and side lies outside the face.
 */
function locate(face: u32, a: f64, b: f64): bool {
  // Three coordinates with b + c = a, each rounded. Where rounding breaks the sum, the worst coordinate is corrected. Here
  // and in `sideOf` are no branches, because their outcome would be as good as random.
  const c = a - b
  const roundA = nearest(a)
  const roundB = nearest(b)
  const roundC = nearest(c)
  const errorA = abs(roundA - a)
  const errorB = abs(roundB - b)
  const errorC = abs(roundC - c)
  const excess = <i32>roundA - <i32>roundB - <i32>roundC
  const isWorstA = <i32>(errorA >= errorB) & <i32>(errorA >= errorC)
  const isWorstB = <i32>(errorB >= errorC) & (isWorstA ^ 1)
  nearA = <i32>roundA - excess * isWorstA
  nearB = <i32>roundB + excess * isWorstB
  const da = a - <f64>nearA
  const db = b - <f64>nearB
  nearIndex = latticeToIndex(face, nearA, nearB)
  nearSide = sideOf(da, db)
  if (furthestReach >= 1) moveToLowest(face, a, b)
  return isInside(nearA, nearB, nearSide)
}

/** For a point exactly on a boundary: takes the lowest index of the cells that meet there. */
function moveToLowest(face: u32, a: f64, b: f64): void {
  const da = a - <f64>nearA
  const db = b - <f64>nearB
  let lowest: u32 = 6
  for (let k: u32 = 0; k < 6; k++) {
    if (reach(k, da, db) < 1) continue
    const other = latticeToIndex(face, nearA + stepA(k), nearB + stepB(k))
    if (other >= nearIndex) continue
    nearIndex = other
    lowest = k
  }
  if (lowest == 6) return
  nearA += stepA(lowest)
  nearB += stepB(lowest)
  nearSide = sideOf(a - <f64>nearA, b - <f64>nearB)
  // The next neighbours are neighbours of this point.
  latticeToIndex(face, nearA, nearB)
}

/** Whether a triangle lies in the face. Edges never cut a triangle, so its middle decides, a third of the way across. */
function isInside(a: i32, b: i32, side: u32): bool {
  const thriceA = 3 * a + stepA(side)
  const thriceB = 3 * b + stepB(side)
  return thriceA + thriceB - 3 * min(min(thriceA, thriceB), 0) < 3 * FACE_STEPS
}

/** Twice the distance from the centre towards neighbour `side`. It is 1 on the side itself. */
function reach(side: u32, da: f64, db: f64): f64 {
  const axis = side % 3
  const along = axis == 0 ? 2 * da - db : axis == 1 ? da + db : 2 * db - da
  return side < 3 ? along : -along
}

/**
 * The side whose triangle holds the offset; of equally near sides the lowest. Side k + 3 is opposite to side k. Sets
 * furthestReach to the reach towards that side.
 */
function sideOf(da: f64, db: f64): u32 {
  const along0 = 2 * da - db
  const along1 = da + db
  const along2 = 2 * db - da
  const side0: u32 = 3 * <u32>(along0 < 0)
  const side1: u32 = 1 + 3 * <u32>(along1 < 0)
  const side2: u32 = 2 + 3 * <u32>(along2 < 0)
  // Bits of positive doubles are ordered as the numbers are.
  const reach0 = reinterpret<i64>(abs(along0))
  const reach1 = reinterpret<i64>(abs(along1))
  const reach2 = reinterpret<i64>(abs(along2))
  const takes1 = <i32>(reach1 > reach0) | (<i32>(reach1 == reach0) & <i32>(side1 < side0))
  const side01: u32 = select<u32>(side1, side0, takes1)
  const reach01 = select<i64>(reach1, reach0, takes1)
  const takes2 = <i32>(reach2 > reach01) | (<i32>(reach2 == reach01) & <i32>(side2 < side01))
  furthestReach = reinterpret<f64>(select<i64>(reach2, reach01, takes2))
  return select<u32>(side2, side01, takes2)
}

/** The ids of the cell and of the two ends of its side `side`. Corner k lies between neighbours k and k + 1. */
function writeCells(face: u32, a: i32, b: i32, index: u64, side: u32, out: usize): void {
  const before = side == 0 ? 5 : side - 1
  const after = side == 5 ? 0 : side + 1
  const across = neighbourToIndex(face, a + stepA(side), b + stepB(side))
  const first = corner(face, a, b, side, index, across, neighbourToIndex(face, a + stepA(after), b + stepB(after)))
  const second = corner(face, a, b, before, index, neighbourToIndex(face, a + stepA(before), b + stepB(before)), across)
  store<u64>(out, index)
  store<u64>(out, min(first, second), 8)
  store<u64>(out, max(first, second), 16)
}

/** The id of corner k of (a, b). That cell, its neighbour k and its neighbour k + 1 meet there; the lowest owns it. */
function corner(face: u32, a: i32, b: i32, k: u32, cell: u64, right: u64, left: u64): u64 {
  if (cell < right && cell < left) return cornerToVertex(cell, face, a, b, k)
  if (right < left) return cornerToVertex(right, face, a + stepA(k), b + stepB(k), k + 2)
  const next = k == 5 ? 0 : k + 1
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

/** Forgets the last fix. */
export function wipeCells(): void {
  planeA = 0
  planeB = 0
  nearA = 0
  nearB = 0
  nearIndex = 0
  nearSide = 0
  furthestReach = 0
  // Overwrites the sine, the cosine and the reduced remainder of the last angle with those of another angle.
  NativeMath.sincos(3)
  wipeLattice()
}
