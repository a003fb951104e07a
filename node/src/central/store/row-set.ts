/**
 * Rows as bytes: n × (hash 12 ‖ meta u8), ascending by hash, each hash once, as a frame carries them. PROTOCOL.md §7.2, §8.
 * Merging joins lags by OR. A hash belongs to one block size. When a dishonest device deposits two sizes, the smaller one
 * counts, in any order. Pure.
 */
import { RISK_HASH_BYTES, ROW_BYTES } from '@geotrace/core-wasm/wire'

/** The bits of the block size in a row's meta byte. The lags are above them. */
const SIZE_BITS = 7
export const NO_ROWS = new Uint8Array(0)

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

/** The hashes of rows: n × 12. */
export function rowsToHashes(rows: Uint8Array): Uint8Array {
  const count = rows.length / ROW_BYTES
  const hashes = new Uint8Array(count * RISK_HASH_BYTES)
  for (let i = 0; i < count; i++) copyHash(hashes, i * RISK_HASH_BYTES, rows, i * ROW_BYTES)
  return hashes
}

/** The rows with lags, and the hashes (n × 12) of those without, which a sync takes back. */
export function splitRows(rows: Uint8Array): { kept: Uint8Array; takenBack: Uint8Array } {
  const gone: number[] = []
  for (let at = 0; at < rows.length; at += ROW_BYTES) if (rows[at + RISK_HASH_BYTES]! <= SIZE_BITS) gone.push(at)
  if (gone.length === 0) return { kept: rows, takenBack: NO_ROWS }
  const takenBack = new Uint8Array(gone.length * RISK_HASH_BYTES)
  for (const [i, at] of gone.entries()) copyHash(takenBack, i * RISK_HASH_BYTES, rows, at)
  return { kept: rowsWithout(rows, takenBack), takenBack }
}

/** Hashes from map keys (`hashToKey`): n × 12, ascending. */
export function keysToHashes(keys: Iterable<string>): Uint8Array {
  return Uint8Array.from(Buffer.from([...keys].sort().join(''), 'latin1'))
}

/** The union of some lists of rows. */
export function mergeRows(...lists: readonly Uint8Array[]): Uint8Array {
  const full = lists.filter((list) => list.length > 0)
  if (full.length < 2) return full[0] ?? NO_ROWS
  const middle = full.length >> 1
  return full.length === 2
    ? mergeTwo(full[0]!, full[1]!)
    : mergeTwo(mergeRows(...full.slice(0, middle)), mergeRows(...full.slice(middle)))
}

/** The rows that add a hash or a lag to `known`, as they will be stored, and the number of added hashes. */
export function freshRows(known: Uint8Array, rows: Uint8Array): { fresh: Uint8Array; added: number } {
  if (known.length === 0) return { fresh: rows, added: rows.length / ROW_BYTES }
  const fresh = new Uint8Array(rows.length)
  let [at, added] = [0, 0]
  const keep = (i: number): void => {
    fresh.set(rows.subarray(i, i + ROW_BYTES), at)
    at += ROW_BYTES
  }
  walk(known, rows, (k, i) => {
    if (i === undefined) return
    if (k === undefined) added++
    if (
      k === undefined ||
      mergeMeta(known[k + RISK_HASH_BYTES]!, rows[i + RISK_HASH_BYTES]!) !== known[k + RISK_HASH_BYTES]
    )
      keep(i)
  })
  return { fresh: fresh.subarray(0, at), added }
}

/** The rows with one of these hashes (n × 12, ascending). */
export function rowsWith(rows: Uint8Array, hashes: Uint8Array): Uint8Array {
  return choose(rows, hashes, true)
}

/** The rows with none of these hashes (n × 12, ascending). */
export function rowsWithout(rows: Uint8Array, hashes: Uint8Array): Uint8Array {
  return choose(rows, hashes, false)
}

/** Compares the hashes that begin at these places. */
function compareAt(a: Uint8Array, i: number, b: Uint8Array, j: number): number {
  for (let n = 0; n < RISK_HASH_BYTES; n++) {
    const difference = a[i + n]! - b[j + n]!
    if (difference !== 0) return difference
  }
  return 0
}

function copyHash(to: Uint8Array, at: number, from: Uint8Array, start: number): void {
  for (let n = 0; n < RISK_HASH_BYTES; n++) to[at + n] = from[start + n]!
}

function choose(rows: Uint8Array, hashes: Uint8Array, isWanted: boolean): Uint8Array {
  const count = hashes.length / RISK_HASH_BYTES
  const chosen: number[] = []
  let from = 0
  for (let i = 0; i < rows.length; i += ROW_BYTES) {
    from = firstNotBelow(hashes, from, count, rows, i)
    const isFound = from < count && compareAt(hashes, from * RISK_HASH_BYTES, rows, i) === 0
    if (isFound === isWanted) chosen.push(i)
  }
  if (chosen.length * ROW_BYTES === rows.length) return rows
  const bytes = new Uint8Array(chosen.length * ROW_BYTES)
  for (const [n, i] of chosen.entries()) bytes.set(rows.subarray(i, i + ROW_BYTES), n * ROW_BYTES)
  return bytes
}

/** The number of the first hash from `low` on that is not below a row's. Both lists ascend, so the search goes on. */
function firstNotBelow(hashes: Uint8Array, low: number, count: number, rows: Uint8Array, i: number): number {
  let step = 1
  let high = low
  while (high < count && compareAt(hashes, high * RISK_HASH_BYTES, rows, i) < 0) {
    low = high + 1
    high += step
    step *= 2
  }
  high = Math.min(high, count)
  while (low < high) {
    const middle = (low + high) >> 1
    if (compareAt(hashes, middle * RISK_HASH_BYTES, rows, i) < 0) low = middle + 1
    else high = middle
  }
  return low
}

function mergeTwo(a: Uint8Array, b: Uint8Array): Uint8Array {
  const merged = new Uint8Array(a.length + b.length)
  let at = 0
  walk(a, b, (i, j) => {
    if (i === undefined) merged.set(b.subarray(j, j! + ROW_BYTES), at)
    else merged.set(a.subarray(i, i + ROW_BYTES), at)
    if (i !== undefined && j !== undefined)
      merged[at + RISK_HASH_BYTES] = mergeMeta(a[i + RISK_HASH_BYTES]!, b[j + RISK_HASH_BYTES]!)
    at += ROW_BYTES
  })
  return merged.subarray(0, at)
}

/** Goes through two ascending lists in step. Calls `visit` once for each hash, with its places. */
function walk(a: Uint8Array, b: Uint8Array, visit: (i: number | undefined, j: number | undefined) => void): void {
  let [i, j] = [0, 0]
  while (i < a.length || j < b.length) {
    const order = i >= a.length ? 1 : j >= b.length ? -1 : compareAt(a, i, b, j)
    visit(order <= 0 ? i : undefined, order >= 0 ? j : undefined)
    if (order <= 0) i += ROW_BYTES
    if (order >= 0) j += ROW_BYTES
  }
}

function mergeMeta(a: number, b: number): number {
  return Math.min(a & SIZE_BITS, b & SIZE_BITS) | ((a | b) & ~SIZE_BITS)
}
