/**
 * The grid of a spread: which bucket a cell falls into, and which cell a bucket stands for. PROTOCOL.md §9.1.
 * Digits of the index alone decide, so all devices agree. Throws RangeError for a grid or bucket that does not exist.
 */
import type { Cell, Region } from '../domain.ts'
import { regionToBase, SPREAD_AREA_RESOLUTION } from '../wire/spread-rules.ts'

/** Bucket 0: somewhere else, nowhere, or no part in the spread. */
export const NOWHERE = 0

/** H3 index: mode 1 for a hexagon, no reserved bits, digits that are not used are 7. */
const HEXAGON_MODE = 1n << 59n
const DIGITS_MASK = (1n << 45n) - 1n
const DIGITS = 15

interface SpreadGrid {
  /** Buckets without bucket 0. */
  readonly buckets: number
  /** The bucket of a cell of layer A; 0 outside the areas. */
  bucketOf(cell: Cell): number
  /** The H3 cell of a bucket from 1 on. Throws RangeError. */
  cellOf(bucket: number): Cell
}

/** `areas`: hexagonal regions, ascending. `resolution`: 5 to 8. */
export function spreadGrid(areas: readonly Region[], resolution: number): SpreadGrid {
  const perArea = 7 ** (resolution - SPREAD_AREA_RESOLUTION)
  const buckets = areas.length * perArea
  const cells = areas.map(regionToCell)
  const indices = new Map(cells.map((cell, i) => [ancestor(cell, SPREAD_AREA_RESOLUTION), i]))
  return {
    buckets,
    bucketOf(cell) {
      const area = indices.get(ancestor(cell, SPREAD_AREA_RESOLUTION))
      if (area === undefined) return NOWHERE
      let position = 0
      for (let r = SPREAD_AREA_RESOLUTION + 1; r <= resolution; r++) position = position * 7 + digitOf(cell, r)
      return 1 + area * perArea + position
    },
    cellOf(bucket) {
      if (!Number.isInteger(bucket) || bucket < 1 || bucket > buckets)
        throw new RangeError(`"bucket" expected 1..${buckets}, got ${bucket}`)
      const area = cells[Math.floor((bucket - 1) / perArea)]!
      const position = (bucket - 1) % perArea
      const digits = resolution - SPREAD_AREA_RESOLUTION
      const parts = Array.from({ length: digits }, (_, i) => Math.floor(position / 7 ** (digits - 1 - i)) % 7)
      return parts.reduce((cell, digit, i) => withDigit(cell, SPREAD_AREA_RESOLUTION + 1 + i, digit), area)
    },
  }
}

/** The H3 cell of resolution 4 of a region, the inverse of PROTOCOL.md §3.3. */
function regionToCell(region: Region): Cell {
  const { baseCell, position, isPentagon } = regionToBase(region)
  const empty = HEXAGON_MODE | (BigInt(baseCell) << 45n) | DIGITS_MASK
  let cell = empty
  let rest = position
  for (let r = 1; r <= SPREAD_AREA_RESOLUTION; r++) cell = withDigit(cell, r, 0)
  let isLeading = isPentagon
  for (let r = 1; r <= SPREAD_AREA_RESOLUTION; r++) {
    const size = 7 ** (SPREAD_AREA_RESOLUTION - r)
    if (isLeading) {
      // A pentagon has no digit 1, and its central child comes first: 1 + 5 · (size − 1) / 6 regions.
      const central = 1 + (5 * (size - 1)) / 6
      if (rest < central) continue
      rest -= central
      cell = withDigit(cell, r, 2 + Math.floor(rest / size))
      isLeading = false
    } else cell = withDigit(cell, r, Math.floor(rest / size))
    rest %= size
  }
  return cell
}

function digitOf(cell: Cell, r: number): number {
  return Number((cell >> shiftOf(r)) & 7n)
}

/** The cell with this digit, one resolution finer when the digit is new. */
function withDigit(cell: Cell, r: number, digit: number): Cell {
  const cleared = cell & ~((7n << shiftOf(r)) | (0xfn << 52n))
  return cleared | (BigInt(digit) << shiftOf(r)) | (BigInt(Math.max(r, resolutionOf(cell))) << 52n)
}

function resolutionOf(cell: Cell): number {
  return Number((cell >> 52n) & 0xfn)
}

function shiftOf(r: number): bigint {
  return BigInt(3 * (DIGITS - r))
}

/** Base cell and digits of an ancestor, as a key. */
function ancestor(cell: Cell, r: number): bigint {
  return (cell & ((1n << 52n) - 1n)) >> shiftOf(r)
}
