// The geometry of PROTOCOL.md §3.1 in plain JavaScript, for the table generator only: faces, the lattice of a face, digits.
// It shares no code with the core (AssemblyScript) or the oracle (calls of h3-js alone).
import { cellToLatLng, getIcosahedronFaces, getPentagons, latLngToCell } from 'h3-js'

export const RESOLUTION = 12
/** Lattice steps from the centre of a face to its corner. */
export const FACE_STEPS = 2 * 7 ** (RESOLUTION / 2)
/** Tangent of the angle to a face's corner, times this, is FACE_STEPS: the square of the golden ratio times 7^6. */
export const PLANE_SCALE = ((3 + Math.sqrt(5)) / 2) * 7 ** (RESOLUTION / 2)
/** The neighbours of a lattice point, counter-clockwise from the a axis. */
export const DIRECTIONS = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
]
/** One turn of 60 degrees counter-clockwise takes H3 digit d to ROTATED[d], which is 5d mod 7. */
export const ROTATED = [0, 5, 3, 1, 6, 4, 2]

const PENTAGON_NEIGHBOUR_COSINE = 1 / Math.sqrt(5)

export const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
export const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]
export const combine = (...terms) => [0, 1, 2].map((axis) => terms.reduce((sum, [k, v]) => sum + k * v[axis], 0))
export const unit = (v) => combine([1 / Math.sqrt(dot(v, v)), v])
export const toVector = (degrees) => {
  const [lat, lng] = degrees.map((angle) => (angle * Math.PI) / 180)
  return [Math.cos(lat) * Math.cos(lng), Math.cos(lat) * Math.sin(lng), Math.sin(lat)]
}
export const toRadians = (v) => [Math.atan2(v[2], Math.hypot(v[0], v[1])), Math.atan2(v[1], v[0])]
export const toCell = (v) => latLngToCell(...toRadians(v).map((angle) => (angle * 180) / Math.PI), RESOLUTION)
export const toBaseCell = (cell) => Number((BigInt(`0x${cell}`) >> 45n) & 127n)
export const toDigits = (cell) =>
  Array.from({ length: 12 }, (_, r) => Number((BigInt(`0x${cell}`) >> BigInt(42 - 3 * r)) & 7n))

/**
 * The twenty faces under H3's own numbers. The corners of a face are three mutually adjacent pentagon centres. The a axis
 * (`u`) points from the centre to the corner with the lowest base cell; `v` is a quarter turn counter-clockwise.
 */
export function faces() {
  const corners = getPentagons(0)
    .map((cell) => ({ baseCell: toBaseCell(cell), at: toVector(cellToLatLng(cell)) }))
    .sort((p, q) => p.baseCell - q.baseCell)
  const adjacent = (p, q) => Math.abs(dot(p.at, q.at) - PENTAGON_NEIGHBOUR_COSINE) < 1e-6
  const found = []
  for (const [i, p] of corners.entries()) {
    for (const [j, q] of corners.entries()) {
      for (const r of corners.slice(j + 1)) {
        if (i >= j || !adjacent(p, q) || !adjacent(q, r) || !adjacent(p, r)) continue
        const centre = unit(combine([1, p.at], [1, q.at], [1, r.at]))
        const u = unit(combine([1, p.at], [-dot(p.at, centre), centre]))
        const numbers = getIcosahedronFaces(toCell(centre))
        if (numbers.length !== 1) throw new Error(`the centre of face ${numbers} is not inside one face`)
        found.push({ number: numbers[0], centre, u, v: cross(centre, u), corners: [p, q, r] })
      }
    }
  }
  found.sort((f, g) => f.number - g.number)
  if (found.length !== 20 || found.some((face, i) => face.number !== i)) throw new Error('not an icosahedron')
  return found
}

/** The lattice coordinates, not rounded, of a direction on a face. */
export function toPlane(face, p) {
  const y = (dot(p, face.v) / dot(p, face.centre)) * PLANE_SCALE
  const b = (2 * y) / Math.sqrt(3)
  return [(dot(p, face.u) / dot(p, face.centre)) * PLANE_SCALE + b / 2, b]
}

/** The direction of a lattice point, or of any point of the plane. */
export function fromPlane(face, a, b) {
  const x = (a - b / 2) / PLANE_SCALE
  const y = (b * Math.sqrt(3)) / 2 / PLANE_SCALE
  return unit(combine([1, face.centre], [x, face.u], [y, face.v]))
}

/** The nearest lattice point: rounds the three coordinates that sum to zero and corrects the worst. */
export function toLattice(a, b) {
  const q = Math.round(a - b)
  const r = Math.round(b)
  const s = Math.round(-a)
  const [dq, dr, ds] = [Math.abs(q - (a - b)), Math.abs(r - b), Math.abs(s + a)]
  if (dq > dr && dq > ds) return [-s, r]
  return dr > ds ? [-s, -q - s] : [q + r, r]
}

/** The triangle of its hexagon in which a point lies, by the number of its side. */
export function toSide(a, b, [a0, b0]) {
  const [da, db] = [a - a0, b - b0]
  const reach = [2 * da - db, da + db, 2 * db - da].flatMap((d, i) => [
    [d, i],
    [-d, i + 3],
  ])
  return reach.reduce((best, next) =>
    next[0] > best[0] || (next[0] === best[0] && next[1] < best[1]) ? next : best,
  )[1]
}

/** One aperture-7 step up from resolution r: the lattice point of the parent and the digit that leads back. */
export function toParent(a, b, r) {
  const odd = r % 2 === 1
  const up = odd
    ? [Math.round((3 * a - b) / 7), Math.round((a + 2 * b) / 7)]
    : [Math.round((2 * a + b) / 7), Math.round((3 * b - a) / 7)]
  const [i, j] = up
  const down = odd ? [2 * i + j, 3 * j - i] : [3 * i - j, i + 2 * j]
  const step = `${a - down[0]},${b - down[1]}`
  const digit = { '0,0': 0, '-1,-1': 1, '0,1': 2, '-1,0': 3, '1,0': 4, '0,-1': 5, '1,1': 6 }[step]
  if (digit === undefined) throw new Error(`no digit leads by ${step}`)
  return { up, digit }
}

/** A lattice point as twelve digits, not turned yet, and the place of its base cell in the face, as i, j, k ≥ 0. */
export function toFaceDigits(a, b) {
  const digits = []
  let point = [a, b]
  for (let r = RESOLUTION; r > 0; r--) {
    const { up, digit } = toParent(...point, r)
    digits.unshift(digit)
    point = up
  }
  const low = Math.min(...point, 0)
  return { digits, place: [point[0] - low, point[1] - low, -low], lead: digits.find((digit) => digit > 0) ?? 0 }
}
