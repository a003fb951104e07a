/**
 * Rows as a set for each user and epoch: one row of each hash, with lags merged by OR. PROTOCOL.md §7.2, §8. Pure.
 * A hash belongs to one block size. When a dishonest device deposits two sizes, the smaller one counts, in any order.
 */
import { compareHashes, mergeRow, RISK_HASH_BYTES, type Row } from '@geotrace/core-wasm/wire'

/**
 * A risk hash as a map key: one character for each byte. The twelve bytes are spelled out, because a report needs
 * millions of keys; a Buffer over the hash took four times as long (2026-11).
 */
export function hashToKey(hash: Uint8Array): string {
  if (hash.length !== RISK_HASH_BYTES) return String.fromCharCode(...hash)
  const h = hash as unknown as Twelve
  return String.fromCharCode(h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10], h[11])
}

type Twelve = { readonly [i in 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11]: number }

/** The union of some lists of rows; ascending by hash. */
export function mergeRows(...lists: readonly (readonly Row[])[]): Row[] {
  const merged = new Map<string, Row>()
  for (const rows of lists) {
    for (const row of rows) {
      const key = hashToKey(row.hash)
      merged.set(key, mergeRow(merged.get(key), row))
    }
  }
  return [...merged.values()].sort((a, b) => compareHashes(a.hash, b.hash))
}

/** The rows that add a hash or a lag to `known`, as they will be stored, and the number of added hashes. */
export function freshRows(known: readonly Row[], rows: readonly Row[]): { fresh: Row[]; added: number } {
  const held = new Map(known.map((row) => [hashToKey(row.hash), row]))
  let added = 0
  const fresh = rows.filter((row) => {
    const before = held.get(hashToKey(row.hash))
    if (before === undefined) added++
    const { lags, size } = mergeRow(before, row)
    return before === undefined || lags !== before.lags || size !== before.size
  })
  return { fresh, added }
}
