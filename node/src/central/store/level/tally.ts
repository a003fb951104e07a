/**
 * The tally of a database: how many writes it had, the number, the bytes and the sum of its entries.
 * PROTOCOL.md §8.
 * Every batch also writes the tally. LevelDB opens a database without an error after it lost writes from its log; the
 * entries then differ from the tally, or the tally is older than the acknowledged writes. Pure.
 */
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'
import { TAG_BYTES } from '../sealed-value.ts'

/** After all other keys. */
export const TALLY_KEY = Uint8Array.of(0xff)

export interface Tally {
  /** Batches since the founding of the database. */
  readonly writes: number
  readonly entries: number
  /** Bytes of their keys and values. */
  readonly bytes: number
  /** XOR over all entries, as u32 (`entryToSum`). */
  readonly sum: number
  /** Further numbers that the database counts, for example rows. */
  readonly counts: readonly number[]
}

export function emptyTally(counts: number): Tally {
  return { writes: 0, entries: 0, bytes: 0, sum: 0, counts: new Array<number>(counts).fill(0) }
}

export function encodeTally({ writes, entries, bytes, sum, counts }: Tally): Uint8Array {
  const writer = byteWriter(28 + 8 * counts.length)
    .time(writes)
    .time(entries)
    .time(bytes)
    .u32(sum >>> 0)
  for (const count of counts) writer.time(count)
  return writer.finish()
}

export function decodeTally(body: Uint8Array): Tally {
  const reader = byteReader(body)
  const [writes, entries, bytes, sum] = [reader.time(), reader.time(), reader.time(), reader.u32()]
  const counts = Array.from({ length: reader.left / 8 }, () => reader.time())
  reader.end()
  return { writes, entries, bytes, sum, counts }
}

/** The part of an entry in the sum: the end of the value's tag, and the key, which LevelDB may lose bits of too. */
export function entryToSum(key: Uint8Array, value: Uint8Array): number {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  // FNV-1a.
  let sum = 0x811c9dc5
  for (const byte of key) sum = Math.imul(sum ^ byte, 0x01000193)
  return value.length < TAG_BYTES ? sum : sum ^ view.getUint32(value.length - 4)
}
