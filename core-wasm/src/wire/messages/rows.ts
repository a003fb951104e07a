/**
 * The rows of a deposit: one risk hash with its block size and lags. PROTOCOL.md §7.2. Both ends of a sync use these rules.
 * Throws RangeError for a row that the wire cannot carry.
 */
import { BLOCK_SIZES_MIN, RISK_HASH_BYTES, ROWS_PER_SHAPE_MAX } from '../constants.ts'

export const ROW_BYTES = RISK_HASH_BYTES + 1

/** One deposited risk hash. */
export interface Row {
  hash: Uint8Array
  /** Minutes. */
  size: number
  /** LAG_CURRENT | LAG_NEXT. 0 in a sync takes the row back. */
  lags: number
}

/** Order of rows on the wire. */
export function compareHashes(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < RISK_HASH_BYTES; i++) if (a[i] !== b[i]) return a[i]! - b[i]!
  return 0
}

export function rowToMeta({ size, lags }: Pick<Row, 'size' | 'lags'>): number {
  const index = (BLOCK_SIZES_MIN as readonly number[]).indexOf(size)
  if (index < 0 || lags < 0 || lags > 3)
    throw new RangeError(`row expected a block size and lags 0..3, got ${size}, ${lags}`)
  return index | (lags << 3)
}

/** The row of a hash; undefined when `meta` has no valid size or lags. */
export function metaToRow(hash: Uint8Array, meta: number): Row | undefined {
  const size = BLOCK_SIZES_MIN[meta & 7]
  const lags = meta >> 3
  return size === undefined || lags > 3 ? undefined : { hash, size, lags }
}

/** The bytes of rows: n × (hash 12 ‖ meta u8). */
export function rowsToBytes(rows: readonly Row[]): Uint8Array {
  const bytes = new Uint8Array(rows.length * ROW_BYTES)
  for (const [i, row] of rows.entries()) {
    bytes.set(row.hash, i * ROW_BYTES)
    bytes[i * ROW_BYTES + RISK_HASH_BYTES] = rowToMeta(row)
  }
  return bytes
}

/** The rows of bytes that `isRows` accepts. */
export function bytesToRows(bytes: Uint8Array): Row[] {
  return Array.from({ length: bytes.length / ROW_BYTES }, (_, i) => {
    const at = i * ROW_BYTES
    return metaToRow(bytes.slice(at, at + RISK_HASH_BYTES), bytes[at + RISK_HASH_BYTES]!)!
  })
}

/** Whether the bytes are rows with block sizes and lags, ascending by hash, each hash once. Makes no object. */
export function isRows(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ROW_BYTES) {
    const meta = bytes[at + RISK_HASH_BYTES]!
    if ((meta & 7) >= BLOCK_SIZES_MIN.length || meta >> 3 > 3) return false
    let n = 0
    while (at > 0 && n < RISK_HASH_BYTES && bytes[at + n] === bytes[at - ROW_BYTES + n]) n++
    if (at > 0 && (n === RISK_HASH_BYTES || bytes[at + n]! < bytes[at - ROW_BYTES + n]!)) return false
  }
  return true
}

/** Merges two rows of one hash: lags by OR. A hash has one size, so two sizes are a lie, and the smaller one stands. */
export function mergeRow(known: Row | undefined, row: Row): Row {
  if (known === undefined) return row
  return { hash: row.hash, size: Math.min(known.size, row.size), lags: known.lags | row.lags }
}

/**
 * Counts the rows of one user and epoch by shape, a block size with a lag bit. A row with both bits counts in both shapes.
 * The client counts before it sends, the central peer before it stores. PROTOCOL.md §7.2.
 */
export class ShapeCounts {
  readonly #counts = new Map<number, number>()

  /** Counts these lags of a row. Returns false and counts nothing when one of their shapes is full. */
  add({ size, lags }: Pick<Row, 'size' | 'lags'>): boolean {
    for (let bit = 1; bit <= 2; bit++)
      if ((lags & bit) !== 0 && this.#count(4 * size + bit) >= ROWS_PER_SHAPE_MAX) return false
    for (let bit = 1; bit <= 2; bit++)
      if ((lags & bit) !== 0) this.#counts.set(4 * size + bit, this.#count(4 * size + bit) + 1)
    return true
  }

  #count(shape: number): number {
    return this.#counts.get(shape) ?? 0
  }
}

/** Whether the rows of one user and epoch, as bytes, are within the bounds by shape. */
export function isWithinShapes(rows: Uint8Array): boolean {
  const counts = new ShapeCounts()
  for (let at = RISK_HASH_BYTES; at < rows.length; at += ROW_BYTES) {
    const meta = rows[at]!
    if (!counts.add({ size: BLOCK_SIZES_MIN[meta & 7]!, lags: meta >> 3 })) return false
  }
  return true
}
