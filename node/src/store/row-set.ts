/**
 * Rows as a set per user and epoch: one row a hash, lags merged by OR. PROTOCOL.md §7.2, §8. Pure.
 * A hash names one block size; should a liar deposit two, the smaller one stands, in whatever order they came.
 */
import { compareHashes, type Row } from '@geotrace/core-wasm/wire'

/** A hash as a map key: one character a byte. */
export function hashToKey(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString('latin1')
}

/** The union of some lists of rows, ascending by hash. */
export function mergeRows(...lists: readonly (readonly Row[])[]): Row[] {
  const merged = new Map<string, Row>()
  for (const rows of lists) {
    for (const row of rows) {
      const key = hashToKey(row.hash)
      const known = merged.get(key)
      merged.set(
        key,
        known === undefined
          ? row
          : { hash: row.hash, size: Math.min(known.size, row.size), lags: known.lags | row.lags },
      )
    }
  }
  return [...merged.values()].sort((a, b) => compareHashes(a.hash, b.hash))
}
