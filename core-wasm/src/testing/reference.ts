/**
 * The reference model: a slow core from h3-js and @noble/hashes alone. PROTOCOL.md §3 (cells to risk hash). The Wasm
 * builds are compared with it. It shares no code with them, only their types. Do not use it in production: h3-js takes
 * sin and cos from the host, so its last bits differ between engines. Throws TypeError and RangeError as the core does.
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  cellToChildPos,
  cellToLatLng,
  cellToParent,
  cellToVertexes,
  getBaseCellNumber,
  getPentagons,
  isValidCell,
  latLngToCell,
  vertexToLatLng,
} from 'h3-js'
import type { Core } from '../core/core.ts'
import type { BlockSize, Cell, Fix, NeededSecrets, RiskPoints, Salting, TimeBlock } from '../domain.ts'

/** The functions that the conformance suite calls. */
export type Implementation = Omit<Core, 'sha256' | 'build'>

type Vector = readonly [number, number, number]

const SIZES: readonly BlockSize[] = [5, 10, 20, 40, 80]
const RESOLUTION = 12
const REGION_RESOLUTION = 4
const TIME_LIMIT_MS = 0xffffffff * 300_000
const LENGTH_MAX = 16_384

export function reference(): Implementation {
  return {
    fixToCells,
    latLngsToCells(lats, lngs) {
      const degrees = (value: unknown) => Object.prototype.toString.call(value) === '[object Float64Array]'
      check(degrees(lats) && degrees(lngs), TypeError, 'lats, lngs')
      check(lats.length === lngs.length, RangeError, 'lats, lngs')
      return BigUint64Array.from(lats, (lat, i) => fixToCells(lat, lngs[i]!)[0])
    },
    cellToRegion,
    regionToShard,
    timeToBlocks,
    riskHash,
    fixesToRiskPoints,
    hashRiskPoints,
    sha256Batch: (messages, length) => eachMessage(messages, length, sha256),
    hmacBatch(key, messages, length) {
      check(bytes(key), TypeError, 'key')
      check(key.length <= LENGTH_MAX, RangeError, 'key')
      return eachMessage(messages, length, (message) => hmac(sha256, key, message))
    },
    crc32,
    sortRows,
  }
}

function fixToCells(lat: number, lng: number): [Cell, Cell, Cell] {
  check(typeof lat === 'number' && typeof lng === 'number', TypeError, 'lat, lng')
  check(lat >= -90 && lat <= 90 && Number.isFinite(lng), RangeError, 'lat, lng')
  const principal = (((lng + 180) % 360) + 360) % 360
  // Degrees within one turn stay as they are, because adding and subtracting 180 would round them.
  const at: [number, number] = [lat, Math.abs(lng) <= 180 ? lng : principal - 180]
  const cell = latLngToCell(...at, RESOLUTION)
  const [first, second] = nearestCorners(cell, toVector(at))
  const corners = [toId(first), toId(second)].sort((x, y) => (x < y ? -1 : 1))
  return [toId(cell), corners[0]!, corners[1]!]
}

/**
 * The two corners of the sixth (in a pentagon, the fifth) of the cell that holds p, between two planes centre–corner.
 * Differences decide the side of a plane, because p·(c × v) itself would lose half a millimetre to rounding.
 */
function nearestCorners(cell: string, p: Vector): [string, string] {
  const centre = toVector(cellToLatLng(cell))
  const ids = cellToVertexes(cell)
  const side = ids.map((id) => dot(centre, cross(minus(toVector(vertexToLatLng(id)), centre), minus(p, centre))))
  for (const [k, left] of side.entries()) {
    const next = (k + 1) % ids.length
    if (left >= 0 && side[next]! < 0) return [ids[k]!, ids[next]!]
  }
  return [ids[0]!, ids[1]!]
}

function cellToRegion(cell: Cell): number {
  check(typeof cell === 'bigint', TypeError, 'cell')
  const text = cell.toString(16)
  const mode = (cell >> 59n) & 15n
  check(cell >= 0n && cell < 1n << 63n && ((cell >> 52n) & 15n) === 12n, RangeError, 'cell')
  const owner = ((cell & ~(0xffn << 56n)) | (1n << 59n)).toString(16)
  check(isValidCell(owner) && (mode === 1n ? isValidCell(text) : mode === 4n), RangeError, 'cell')
  const pentagon = getPentagons(RESOLUTION).includes(owner)
  check(mode === 1n || ((cell >> 56n) & 7n) < (pentagon ? 5n : 6n), RangeError, 'cell')
  const parent = cellToParent(owner, REGION_RESOLUTION)
  return firstRegion(getBaseCellNumber(parent)) + cellToChildPos(parent, 0)
}

function firstRegion(baseCell: number): number {
  const pentagons = getPentagons(0).filter((pentagon) => getBaseCellNumber(pentagon) < baseCell)
  return baseCell * 2401 - pentagons.length * 400
}

function regionToShard(region: number, shards: number): number {
  check(Number.isInteger(region) && region >= 0 && region < 288_122, RangeError, 'region')
  check(Number.isSafeInteger(shards) && shards > 0, RangeError, 'shards')
  return region % shards
}

function timeToBlocks(at: number): TimeBlock[] {
  check(typeof at === 'number', TypeError, 'at')
  check(at >= 0 && at < TIME_LIMIT_MS, RangeError, 'at')
  const ms = BigInt(Math.floor(at))
  return SIZES.flatMap((size): TimeBlock[] => {
    const n = Number(ms / BigInt(size * 60_000))
    return [
      { size, n, lag: 0 },
      { size, n: n + 1, lag: 1 },
    ]
  })
}

function riskHash(secret: Uint8Array, cell: Cell, size: number, n: number): Uint8Array {
  check(bytes(secret) && typeof cell === 'bigint', TypeError, 'secret, cell')
  check(secret.length === 32 && cell >= 0n && cell < 1n << 64n, RangeError, 'secret, cell')
  check(
    SIZES.some((known) => known === size),
    RangeError,
    'size',
  )
  check(Number.isInteger(n) && n >= 0 && n <= 0xffffffff, RangeError, 'n')
  const message = new Uint8Array(48)
  const fields = new DataView(message.buffer)
  message.set(secret)
  fields.setUint32(32, n)
  fields.setUint8(36, size)
  message.set([0x47, 0x54, 1], 37)
  fields.setBigUint64(40, cell)
  return sha256(message).slice(0, 12)
}

function fixesToRiskPoints(fixes: readonly Pick<Fix, 'lat' | 'lng' | 'at'>[], salting: Salting): RiskPoints {
  const points = new Map<
    string,
    { number: number; cell: Cell; size: number; n: number; lags: number; secret: number }
  >()
  const secrets = new Map<string, { number: number; place: bigint; size: number; time: number }>()
  const ofFix: number[] = []
  for (const { lat, lng, at } of fixes) {
    for (const cell of fixToCells(lat, lng)) {
      for (const { size, n, lag } of timeToBlocks(at)) {
        const secret =
          salting === 'plain'
            ? { number: secrets.size, place: BigInt(cellToRegion(cell)), size, time: n }
            : { number: secrets.size, place: cell, size: 0, time: Math.floor((n * size) / 80) }
        const secretKey = `${secret.place} ${secret.size} ${secret.time}`
        if (!secrets.has(secretKey)) secrets.set(secretKey, secret)
        const key = `${cell} ${size} ${n}`
        const known = points.get(key)
        const point = known ?? { number: points.size, cell, size, n, lags: 0, secret: secrets.get(secretKey)!.number }
        point.lags |= 1 << lag
        points.set(key, point)
        ofFix.push(point.number)
      }
    }
  }
  const all = [...points.values()]
  const needs = [...secrets.values()]
  const count = needs.length
  const times = Uint32Array.from(needs, (need) => need.time)
  const needed: NeededSecrets =
    salting === 'plain'
      ? {
          salting,
          count,
          regions: Uint32Array.from(needs, (need) => Number(need.place)),
          sizes: Uint8Array.from(needs, (need) => need.size),
          blocks: times,
        }
      : { salting, count, cells: BigUint64Array.from(needs, (need) => need.place), epochs: times }
  return {
    count: all.length,
    cells: BigUint64Array.from(all, (point) => point.cell),
    sizes: Uint8Array.from(all, (point) => point.size),
    blocks: Uint32Array.from(all, (point) => point.n),
    lags: Uint8Array.from(all, (point) => point.lags),
    secretIndex: Uint32Array.from(all, (point) => point.secret),
    needed,
    ofFix: Uint32Array.from(ofFix),
  }
}

function hashRiskPoints(points: RiskPoints, secrets: Uint8Array): Uint8Array {
  check(bytes(secrets), TypeError, 'secrets')
  check(secrets.length === points.needed.count * 32, RangeError, 'secrets')
  const hashes = new Uint8Array(points.count * 12)
  for (let i = 0; i < points.count; i++) {
    const at = points.secretIndex[i]! * 32
    hashes.set(riskHash(secrets.slice(at, at + 32), points.cells[i]!, points.sizes[i]!, points.blocks[i]!), i * 12)
  }
  return hashes
}

function eachMessage(messages: Uint8Array, length: number, hash: (message: Uint8Array) => Uint8Array): Uint8Array {
  check(bytes(messages), TypeError, 'messages')
  check(Number.isInteger(length) && length >= 0 && length <= LENGTH_MAX, RangeError, 'length')
  check(length === 0 ? messages.length === 0 : messages.length % length === 0, RangeError, 'messages')
  const count = length === 0 ? 1 : messages.length / length
  const digests = Array.from({ length: count }, (_, i) => hash(messages.slice(i * length, (i + 1) * length)))
  const all = new Uint8Array(count * 32)
  for (const [i, digest] of digests.entries()) all.set(digest, i * 32)
  return all
}

function crc32(data: Uint8Array, crc = 0): number {
  check(bytes(data), TypeError, 'bytes')
  check(Number.isInteger(crc) && crc >= 0 && crc <= 0xffffffff, RangeError, 'crc')
  let state = ~crc
  for (const byte of data) {
    state ^= byte
    for (let bit = 0; bit < 8; bit++) state = (state >>> 1) ^ (state & 1 ? 0xedb88320 : 0)
  }
  return ~state >>> 0
}

function sortRows(rows: Uint8Array, width: number): Uint8Array {
  check(bytes(rows), TypeError, 'rows')
  check(Number.isInteger(width) && width >= 12 && width <= 256, RangeError, 'width')
  check(rows.length % width === 0, RangeError, 'rows')
  const sorted = Array.from({ length: rows.length / width }, (_, i) => rows.subarray(i * width, (i + 1) * width)).sort(
    compareKeys,
  )
  const all = new Uint8Array(rows.length)
  for (const [i, row] of sorted.entries()) all.set(row, i * width)
  return all
}

function compareKeys(x: Uint8Array, y: Uint8Array): number {
  for (let i = 0; i < 12; i++) if (x[i] !== y[i]) return x[i]! - y[i]!
  return 0
}

function check(holds: boolean, error: typeof TypeError | typeof RangeError, what: string): void {
  if (!holds) throw new error(`"${what}" is not what the protocol allows`)
}

const bytes = (value: unknown) => Object.prototype.toString.call(value) === '[object Uint8Array]'
const toId = (text: string): bigint => BigInt(`0x${text}`)
const dot = (u: Vector, v: Vector) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
const minus = (u: Vector, v: Vector): Vector => [u[0] - v[0], u[1] - v[1], u[2] - v[2]]
const cross = (u: Vector, v: Vector): Vector => [
  u[1] * v[2] - u[2] * v[1],
  u[2] * v[0] - u[0] * v[2],
  u[0] * v[1] - u[1] * v[0],
]
function toVector([lat, lng]: readonly number[]): Vector {
  const [phi, lambda] = [(lat! * Math.PI) / 180, (lng! * Math.PI) / 180]
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
}
