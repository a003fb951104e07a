/** One position as its three cells. PROTOCOL.md, cells. */
import type { Cell } from './domain.ts'
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
  return cells
}

/** Throws unless a position can have cells: TypeError for what is no number, RangeError for what is no place. */
export function assertPosition(lat: number, lng: number): void {
  if (typeof lat !== 'number' || typeof lng !== 'number') {
    throw new TypeError(`"lat", "lng" expected numbers, got ${typeof lat}, ${typeof lng}`)
  }
  // No values in the message: errors end up in logs, and a position must not.
  if (!(lat >= -90 && lat <= 90)) throw new RangeError('"lat" expected -90 … 90 degrees')
  if (!Number.isFinite(lng)) throw new RangeError('"lng" expected finite degrees')
}

/** Throws unless `cell` fits 64 bits: the module would see another one. */
export function assertCell(cell: Cell): void {
  if (typeof cell !== 'bigint') throw new TypeError(`"cell" expected a bigint, got ${typeof cell}`)
  if (cell < 0n || cell >= CELL_LIMIT) throw new RangeError('"cell" expected 64 bits')
}
