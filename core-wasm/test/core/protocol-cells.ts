/**
 * PROTOCOL.md §3.1 and §3.2 as code, sentence by sentence, over the published vectors/tables.json. It proves that the text
 * and the tables suffice to build the core. It uses the sin and cos of the host.
 */
import { readFileSync } from 'node:fs'

interface Tables {
  faces: { centre: number[]; toA: number[]; toB: number[] }[]
  homes: number[]
  pentagons: number[]
  turn: number[]
  cross: number[]
  onEdge: number[][]
  pent: number[]
}
type Point = readonly [a: number, b: number]

const tables: Tables = JSON.parse(readFileSync(new URL('../../vectors/tables.json', import.meta.url), 'utf8'))
const F = 2 * 7 ** 6
const STEPS: readonly Point[] = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
]
const DIGITS = ['0,0', '-1,-1', '0,1', '-1,0', '1,0', '0,-1', '1,1']

export function protocolCells(lat: number, lng: number): [bigint, bigint, bigint] {
  const [phi, lambda] = [lat * 0.017453292519943295, principal(lng) * 0.017453292519943295]
  const p = [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
  const depths = tables.faces.map((face) => dot(p, face.centre))
  const f = depths.indexOf(Math.max(...depths))
  const [a, b] = [dot(p, tables.faces[f]!.toA) / depths[f]!, dot(p, tables.faces[f]!.toB) / depths[f]!]
  const inward = 1 - 2 ** -44
  const found = triangle(f, a, b)
  const { at, m } = found.isInside ? found : triangle(f, a * inward, b * inward)
  const corners = [corner(f, at, m), corner(f, at, (m + 5) % 6)].sort((x, y) => (x < y ? -1 : 1))
  return [index(f, at), corners[0]!, corners[1]!]
}

function triangle(f: number, a: number, b: number) {
  const c = a - b
  let [A, B, C] = [roundEven(a), roundEven(b), roundEven(c)]
  if (B + C !== A) {
    const [ea, eb, ec] = [Math.abs(A - a), Math.abs(B - b), Math.abs(C - c)]
    if (ea >= eb && ea >= ec) A = B + C
    else if (eb >= ec) B = A - C
    else C = A - B
  }
  const reaches = ([x, y]: Point) => {
    const [da, db] = [a - x, b - y]
    const half = [2 * da - db, da + db, 2 * db - da]
    return [...half, ...half.map((reach) => -reach)]
  }
  let at: Point = [A, B]
  const tied = STEPS.filter((_, k) => Math.max(...reaches(at)) >= 1 && reaches(at)[k]! >= 1)
  for (const other of tied.map((step) => add([A, B], step))) if (index(f, other) < index(f, at)) at = other
  const m = reaches(at).indexOf(Math.max(...reaches(at)))
  const [u, v] = [3 * at[0] + STEPS[m]![0], 3 * at[1] + STEPS[m]![1]]
  return { at, m, isInside: u + v - 3 * Math.min(u, v, 0) <= 3 * F }
}

function corner(f: number, p: Point, k: number): bigint {
  const touching = [p, add(p, STEPS[k]!), add(p, STEPS[(k + 1) % 6]!)].map((at, turn) => ({
    at,
    sector: (k + 2 * turn) % 6,
    id: index(f, at),
  }))
  const owner = touching.reduce((low, next) => (next.id < low.id ? next : low))
  return (owner.id & ~(15n << 59n)) | (4n << 59n) | (BigInt(vertexNumber(f, owner)) << 56n)
}

function vertexNumber(f: number, { at: [a, b], sector, id }: { at: Point; sector: number; id: bigint }): number {
  const baseCell = Number((id >> 45n) & 127n)
  const pentagon = ((id >> 9n) & 0xfffffffffn) === 0n ? tables.pentagons.indexOf(baseCell) : -1
  if (pentagon >= 0) return tables.pent[(pentagon * 20 + f) * 6 + sector]! % 6
  const low = Math.min(a, b, 0)
  const s = a + b - 3 * low
  const edge = 3 * f + [a - low, b - low, -low].indexOf(0)
  const crosses = s > F || (s === F && tables.onEdge[edge]!.includes(baseCell))
  return (sector + (crosses ? tables.cross[edge]! : tables.turn[f]!)) % 6
}

function index(f: number, point: Point): bigint {
  let [a, b] = point
  const digits: number[] = []
  for (let r = 12; r >= 1; r--) {
    const odd = r % 2 === 1
    const i = Math.round((odd ? 3 * a - b : 2 * a + b) / 7)
    const j = Math.round((odd ? a + 2 * b : 3 * b - a) / 7)
    const rest = odd ? [a - (2 * i + j), b - (3 * j - i)] : [a - (3 * i - j), b - (i + 2 * j)]
    digits.unshift(DIGITS.indexOf(rest.map((step) => step + 0).join()))
    ;[a, b] = [i, j]
  }
  const low = Math.min(a, b, 0)
  const lead = digits.find((digit) => digit > 0) ?? 0
  const home = tables.homes[(f * 27 + 9 * (a - low) + 3 * (b - low) - low) * 7 + lead]!
  const turned = digits.map((digit) => (digit * 5 ** (home % 8)) % 7)
  const packed = turned.reduce((sum, digit) => sum * 8n + BigInt(digit), 0n)
  return (1n << 59n) | (12n << 52n) | (BigInt(home >> 3) << 45n) | (packed << 9n) | 0x1ffn
}

function principal(lng: number): number {
  const rest = Math.abs(lng) >= 360 ? lng % 360 : lng
  return rest >= 180 ? rest - 360 : rest < -180 ? rest + 360 : rest
}

function roundEven(value: number): number {
  const rounded = Math.round(value)
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded
}

const add = ([a, b]: Point, [da, db]: Point): Point => [a + da, b + db]
const dot = (p: readonly number[], q: readonly number[]) => p[0]! * q[0]! + p[1]! * q[1]! + p[2]! * q[2]!
