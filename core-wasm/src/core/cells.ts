/**
 * Positions as cells. PROTOCOL.md §3.1, §3.2. Throws TypeError, RangeError. `latLngsToCells` serves the differential
 * tests and the bench, which compare millions of positions with h3-js. It stays also because a module without its export
 * `fixesToHexagons` would have another hash, and rosters pin the hash of the core.
 */
import type { Cell } from '../domain.ts'
import type { Instance } from './instance.ts'

const CELL_LIMIT = 1n << 64n

export function fixToCells(core: Instance, lat: number, lng: number): [Cell, Cell, Cell] {
  assertPosition(lat, lng)
  core.lats[0] = lat
  core.lngs[0] = lng
  core.call.fixesToCells(1)
  const cells: [Cell, Cell, Cell] = [core.cells[0]!, core.cells[1]!, core.cells[2]!]
  core.lats[0] = 0
  core.lngs[0] = 0
  core.cells.fill(0n, 0, cells.length)
  core.call.wipeCells()
  return cells
}

/** Layer A of many positions, equal to `latLngToCell` of h3-js at resolution 12. */
export function latLngsToCells(core: Instance, lats: Float64Array, lngs: Float64Array): BigUint64Array {
  assertDegrees('lats', lats)
  assertDegrees('lngs', lngs, lats.length)
  for (let i = 0; i < lats.length; i++) assertPosition(lats[i]!, lngs[i]!)
  const cells = new BigUint64Array(lats.length)
  for (let from = 0; from < lats.length; from += core.fixes) {
    const count = Math.min(core.fixes, lats.length - from)
    core.lats.set(lats.subarray(from, from + count))
    core.lngs.set(lngs.subarray(from, from + count))
    core.call.fixesToHexagons(count)
    cells.set(core.cells.subarray(0, count), from)
  }
  core.call.wipeFixes()
  return cells
}

/** Throws TypeError unless both values are numbers, and RangeError unless they name a place on the earth. */
export function assertPosition(lat: number, lng: number): void {
  if (typeof lat !== 'number' || typeof lng !== 'number') {
    throw new TypeError(`"lat", "lng" expected numbers, got ${typeof lat}, ${typeof lng}`)
  }
  // The message contains no values, because errors go to logs and positions must not.
  if (!(lat >= -90 && lat <= 90)) throw new RangeError('"lat" expected -90..90 degrees')
  if (!Number.isFinite(lng)) throw new RangeError('"lng" expected finite degrees')
}

/** Throws unless `cell` fits 64 bits, because the module would read another cell. */
export function assertCell(cell: Cell): void {
  if (typeof cell !== 'bigint') throw new TypeError(`"cell" expected a bigint, got ${typeof cell}`)
  if (cell < 0n || cell >= CELL_LIMIT) throw new RangeError('"cell" expected 64 bits')
}

function assertDegrees(name: string, value: Float64Array, length?: number): void {
  // By tag instead of `instanceof`, which refuses a Float64Array of another realm.
  if (Object.prototype.toString.call(value) !== '[object Float64Array]') {
    throw new TypeError(`"${name}" expected a Float64Array, got ${typeof value}`)
  }
  if (length !== undefined && value.length !== length) {
    throw new RangeError(`"${name}" expected ${length} numbers, got ${value.length}`)
  }
}
