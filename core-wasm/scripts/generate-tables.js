// Derives every table of the core from h3-js by probing; no table is copied from another source. PROTOCOL.md §3.1–3.3.
//   node core-wasm/scripts/generate-tables.js     writes assembly/tables.ts, and the same tables as vectors/tables.json
// Throws an Error when a probe contradicts an earlier one.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { cellToVertexes, getPentagons, isPentagon, vertexToLatLng } from 'h3-js'
import * as plane from './face-plane.js'
import { renderTables } from './render-tables.js'

const PROBES_PER_FOCUS = 150
const PROBES_PER_EDGE = 1_000
const UNSET = 0xffff
const PENTAGONS = getPentagons(0)
  .map(plane.toBaseCell)
  .sort((p, q) => p - q)
// Seven base cells touch each edge of each face. At a pentagon, a face sees two of the five corners.
const ON_EDGE_ENTRIES = 60 * 7
const PENTAGON_ENTRIES = 12 * 5 * 2
// Thirteen hexagonal base cells reach into a face, and of its three pentagons three digits and the centre.
const HOME_ENTRIES = 20 * (13 * 7 + 3 * 4)

export function generateTables() {
  const faces = plane.faces()
  const random = mulberry32(0x47540001)
  return {
    faces: faces.map(({ centre, u, v }) => ({ centre, ...axes(u, v) })),
    pairs: pairs(),
    homes: homesOf(faces, random),
    pentagons: PENTAGONS,
    regionOffsets: regionOffsets(),
    ...vertexNumbers(faces, random),
  }
}

/** The a and b axes with the plane's scale folded in: a = p·toA / p·centre, b = p·toB / p·centre. */
function axes(u, v) {
  const k = plane.PLANE_SCALE
  return { toA: plane.combine([k, u], [k / Math.sqrt(3), v]), toB: plane.combine([(2 * k) / Math.sqrt(3), v]) }
}

/** Two aperture-7 levels are exactly a division by 7: for each remainder, two digits and the carries. */
function pairs() {
  return Array.from({ length: 49 }, (_, i) => {
    const [a, b] = [Math.floor(i / 7), i % 7]
    const low = plane.toParent(a, b, 12)
    const high = plane.toParent(...low.up, 11)
    return { digits: high.digit * 8 + low.digit, carry: high.up }
  })
}

/** Base cell and number of turns for each (face, place in the face, leading digit). */
function homesOf(faces, random) {
  const homes = Array.from({ length: 20 * 27 * 7 }, () => UNSET)
  for (const [f, face] of faces.entries()) {
    for (const [a, b] of latticePoints(random)) {
      const { digits, place, lead } = plane.toFaceDigits(a, b)
      const cell = plane.toCell(plane.fromPlane(face, a, b))
      const turns = turnsBetween(digits, plane.toDigits(cell))
      agree(homes, (f * 27 + place[0] * 9 + place[1] * 3 + place[2]) * 7 + lead, plane.toBaseCell(cell) * 8 + turns)
    }
  }
  for (let place = 0; place < 20 * 27; place++) fill(homes, place * 7)
  if (count(homes) !== HOME_ENTRIES) throw new Error('too few probes: some base cell of a face was never met')
  return homes.map((home) => (home === UNSET ? 0 : home))
}

/**
 * Only a pentagon turns its digits by the leading digit. For other base cells, one digit decides for all digits, because
 * some digits lead into a face by a fringe that probing would rarely meet.
 */
function fill(homes, from) {
  const known = homes.slice(from, from + 7).filter((home) => home !== UNSET)
  if (known.length === 0 || PENTAGONS.includes(known[0] >> 3)) return
  const home = known.find((_, i) => i > 0 || homes[from] === UNSET) ?? known[0]
  for (let lead = 1; lead < 7; lead++) agree(homes, from + lead, home)
  // The centre itself has no digit to turn.
  homes[from] = home - (home % 8)
}

/**
 * Probes of one face, up to two steps beyond its edges. They start at the centres of its base cells and at the borders
 * between base cells on an edge. At every scale they go in every direction. Along the edges they include all points within
 * two steps, because some digits and base cells lead into a face only just across its edge.
 */
function* latticePoints(random) {
  for (const focus of [...foci(1), ...foci(2)]) {
    yield* twoRings(focus).filter(isOnPlane)
    for (let probe = 0; probe < PROBES_PER_FOCUS; probe++) {
      const distance = plane.FACE_STEPS ** random()
      yield* [pointAt(focus, distance, random() * 360)].filter(isOnPlane)
      const alongEdges = pointAt(focus, distance, 30 + 60 * (probe % 6))
      if (probe % 4 === 0) yield* twoRings(alongEdges).filter(isOnPlane)
    }
  }
}

/** Base cell centres of a face and its edges (parts = 1), or points halfway between neighbours on an edge (parts = 2). */
function foci(parts) {
  const step = plane.FACE_STEPS / 2 / parts
  const reach = 2 * parts
  const range = Array.from({ length: reach + 1 }, (_, i) => i)
  return range
    .flatMap((i) => range.flatMap((j) => range.map((k) => [i, j, k])))
    .filter((place) => Math.min(...place) === 0)
    .filter(([i, j, k]) =>
      parts === 1 ? i + j + k <= reach : i + j + k === reach && (i * j + j * k + k * i) % 2 === 1,
    )
    .map(([i, j, k]) => [Math.round((i - k) * step), Math.round((j - k) * step)])
}

/** The lattice point at some distance (steps) and angle (degrees) from another. */
function pointAt([a, b], distance, angle) {
  const y = distance * Math.sin((angle * Math.PI) / 180)
  const db = (2 * y) / Math.sqrt(3)
  const da = distance * Math.cos((angle * Math.PI) / 180) + db / 2
  return [a + Math.round(da), b + Math.round(db)]
}

/** A point and the eighteen that are at most two steps away. */
function twoRings([a, b]) {
  const near = []
  for (let da = -2; da <= 2; da++) {
    for (let db = -2; db <= 2; db++) if (Math.abs(da - db) <= 2) near.push([a + da, b + db])
  }
  return near
}

/** Whether a point is on the plane. The plane ends at a corner: the five faces there fill only 300 of its degrees. */
function isOnPlane([a, b]) {
  const low = Math.min(a, b, 0)
  const [p, q] = [a - low, b - low, -low].sort((x, y) => y - x)
  const isCorner = p === plane.FACE_STEPS && q === 0
  return isCorner || (p + q <= plane.FACE_STEPS + 2 && p - q / 2 < plane.FACE_STEPS)
}

/** Which number of turns takes one list of digits to the other. */
function turnsBetween(from, to) {
  let digits = from
  for (let turns = 0; turns < 6; turns++) {
    if (digits.every((digit, i) => digit === to[i])) return turns
    digits = digits.map((digit) => plane.ROTATED[digit])
  }
  throw new Error(`no turn takes ${from} to ${to}`)
}

/** First region of each base cell: 2401 cells of resolution 4 in each, 2001 in a pentagon. */
function regionOffsets() {
  let next = 0
  return Array.from({ length: 122 }, (_, baseCell) => {
    const first = next
    next += PENTAGONS.includes(baseCell) ? 2001 : 2401
    return first
  })
}

/** The difference of vertex number and sector of a corner, for owners inside the face, beyond an edge, on an edge. */
function vertexNumbers(faces, random) {
  const turn = Array.from({ length: 20 }, () => UNSET)
  const cross = Array.from({ length: 60 }, () => UNSET)
  const onEdge = Array.from({ length: 60 * 122 }, () => UNSET)
  const pent = Array.from({ length: 12 * 20 * 6 }, () => UNSET)
  const seen = corners(faces, random)
  for (const { f, where, sector, vertex } of seen) {
    const shift = (vertex - sector + 6) % 6
    if (where.pentagon >= 0) agree(pent, (where.pentagon * 20 + f) * 6 + sector, vertex)
    else if (where.beyond < 0) agree(turn, f, shift)
    else if (where.beyond > 0) agree(cross, f * 3 + where.edge, shift)
  }
  for (const { f, where, sector, vertex } of seen) {
    if (where.pentagon >= 0 || where.beyond !== 0) continue
    const shift = (vertex - sector + 6) % 6
    if (shift !== turn[f] && shift !== cross[f * 3 + where.edge])
      throw new Error('an owner on an edge follows neither face')
    if (turn[f] === cross[f * 3 + where.edge]) continue
    agree(onEdge, (f * 3 + where.edge) * 122 + where.baseCell, shift === turn[f] ? 0 : 1)
  }
  if (
    count(turn) !== 20 ||
    count(cross) !== 60 ||
    count(onEdge) !== ON_EDGE_ENTRIES ||
    count(pent) !== PENTAGON_ENTRIES
  )
    throw new Error('too few probes: some entry of a vertex table was never met')
  return {
    turn,
    cross,
    onEdge: Array.from({ length: 60 }, (_, edge) => baseCells(onEdge.slice(edge * 122, (edge + 1) * 122))),
    pent: pent.map((vertex) => (vertex === UNSET ? 0 : vertex)),
  }
}

/** Corners met by fixes near every edge and corner of every face, with the vertex number h3-js gives them. */
function corners(faces, random) {
  const found = []
  const reach = plane.FACE_STEPS
  for (const [f, face] of faces.entries()) {
    for (let edge = 0; edge < 3; edge++) {
      for (let probe = 0; probe < PROBES_PER_EDGE; probe++) {
        const along = probe % 3 === 0 ? 10 ** (random() * 5) / 5 : random() * reach
        const inside = probe % 5 === 0 ? 10 ** (random() * 5) / 5 : random() * 2.2
        const at = probe % 2 === 0 ? along : reach - along
        const point = [at - inside / 2, reach - at - inside / 2, 0]
        if (point[0] < 0 || point[1] < 0) continue
        const ijk = [point[(3 - edge) % 3], point[(4 - edge) % 3], point[(5 - edge) % 3]]
        found.push(...cornersOf(f, face, ijk[0] - ijk[2], ijk[1] - ijk[2]))
      }
    }
  }
  return found
}

function cornersOf(f, face, a, b) {
  const centre = plane.toLattice(a, b)
  const side = plane.toSide(a, b, centre)
  const cell = plane.toCell(plane.fromPlane(face, ...centre))
  const vertexes = cellToVertexes(cell).map((id) => ({ id, at: plane.toVector(vertexToLatLng(id)) }))
  return [side, (side + 5) % 6].map((k) => {
    const touching = [centre, step(centre, k), step(centre, (k + 1) % 6)].map((point, turn) => ({
      point,
      sector: (k + 2 * turn) % 6,
      cell: plane.toCell(plane.fromPlane(face, ...point)),
    }))
    const owner = touching.reduce((low, next) => (next.cell < low.cell ? next : low))
    const middle = plane.combine(...touching.map(({ point }) => [1, plane.fromPlane(face, ...point)]))
    const vertex = vertexes.reduce((near, next) =>
      plane.dot(next.at, middle) > plane.dot(near.at, middle) ? next : near,
    ).id
    if (vertex.slice(2) !== owner.cell.slice(1))
      throw new Error(`${vertex} is not owned by ${owner.cell}, the least of its three cells`)
    return { f, where: whereIs(owner), sector: owner.sector, vertex: Number.parseInt(vertex[1], 16) }
  })
}

const step = ([a, b], k) => [a + plane.DIRECTIONS[k][0], b + plane.DIRECTIONS[k][1]]

/** Where an owner lies on the fix's face: inside (beyond < 0), on an edge (0), beyond it (> 0), or a pentagon. */
function whereIs({ point: [a, b], cell }) {
  const low = Math.min(a, b, 0)
  const baseCell = plane.toBaseCell(cell)
  return {
    pentagon: isPentagon(cell) ? PENTAGONS.indexOf(baseCell) : -1,
    beyond: Math.sign(a + b - 3 * low - plane.FACE_STEPS),
    edge: [a - low, b - low, -low].indexOf(0),
    baseCell,
  }
}

/** The base cells of one edge whose owners follow CROSS. */
const baseCells = (bits) => [...bits.keys()].filter((baseCell) => bits[baseCell] === 1)

const count = (table) => table.filter((value) => value !== UNSET).length

function agree(table, at, value) {
  if (table[at] !== UNSET && table[at] !== value)
    throw new Error(`probe ${at} gave ${table[at]} before and ${value} now`)
  table[at] = value
}

/** A small seeded generator, so that the same probes are made on every run. */
function mulberry32(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const tables = generateTables()
  writeFileSync(new URL('../assembly/tables.ts', import.meta.url), renderTables(tables))
  writeFileSync(new URL('../vectors/tables.json', import.meta.url), `${JSON.stringify(tables)}\n`)
}
