/**
 * Records the bonds of a node in one period after one roster. PROTOCOL.md §4.7, §5.1. They are the parts whose seeds it
 * made, and the root that it signed or holds a certificate of. Another roster before it means other seeds and another sheet.
 * A record is on disk before the signature exists, so no crash leads to two seeds of a part or to two sheets.
 * A root commits to the seeds and reveals nothing about them. Throws STORAGE_CORRUPT.
 */
import { byteReader, byteWriter, equalBytes, HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/** The roster before and the period that a record belongs to. */
interface SheetPeriod {
  /** Hash of the roster before. */
  previous: Uint8Array
  firstEpoch: number
}
/** The bonds of a node for one shard and period. */
interface Bond {
  /** Undefined while the node has signed no sheet. */
  root: Uint8Array | undefined
  /** Parts whose seeds this node made, ascending. */
  made: readonly number[]
}
type SheetRecord = SheetPeriod & Bond

/** Records of one shard: the period in force, the one being agreed on, two that failed, and four of an overtaken chain. */
const RECORDS_MAX = 8
const NO_ROOT = new Uint8Array(HASH_BYTES)
const NO_BOND: Bond = { root: undefined, made: [] }

/** The bond of this node in a period. Throws STORAGE_CORRUPT. */
export async function readBond(records: Records, shard: number, period: SheetPeriod): Promise<Bond> {
  return decodeRecords(await records.get(recordName(shard))).find((record) => isSame(record, period)) ?? NO_BOND
}

/** The node signed this root, or holds its certificate. */
export async function recordRoot(
  records: Records,
  shard: number,
  period: SheetPeriod,
  root: Uint8Array,
): Promise<void> {
  await updateBond(records, shard, period, ({ made }) => ({ made, root }))
}

/**
 * Records that the node makes the seeds of these parts, and returns those that it may make. It makes none after it signed
 * a root, and no part twice, because its first seed may be with another replica.
 */
export async function recordMade(
  records: Records,
  shard: number,
  period: SheetPeriod,
  parts: readonly number[],
): Promise<number[]> {
  let fresh: number[] = []
  await updateBond(records, shard, period, ({ made, root }) => {
    fresh = root === undefined ? parts.filter((part) => !made.includes(part)) : []
    return { root, made: [...made, ...fresh].sort((a, b) => a - b) }
  })
  return fresh
}

/** Reads and writes in one step, because the next sheet may be signed while this period's certificate is recorded. */
async function updateBond(
  records: Records,
  shard: number,
  period: SheetPeriod,
  change: (bond: Bond) => Bond,
): Promise<void> {
  await records.update(recordName(shard), (bytes) => {
    const all = decodeRecords(bytes)
    const others = all.filter((item) => !isSame(item, period))
    const own = { ...period, ...change(all.find((item) => isSame(item, period)) ?? NO_BOND) }
    return encodeRecords([own, ...others].sort((a, b) => b.firstEpoch - a.firstEpoch).slice(0, RECORDS_MAX))
  })
}

function encodeRecords(list: readonly SheetRecord[]): Uint8Array {
  const bytes = list.reduce((sum, { made }) => sum + 4 + 2 * HASH_BYTES + 1 + made.length, 1)
  const writer = byteWriter(bytes).u8(list.length)
  for (const { firstEpoch, previous, root, made } of list) {
    writer
      .u32(firstEpoch)
      .bytes(previous, HASH_BYTES)
      .bytes(root ?? NO_ROOT, HASH_BYTES)
    writer.u8(made.length).bytes(Uint8Array.from(made))
  }
  return writer.finish()
}

/** The records of one shard, newest period first. Throws STORAGE_CORRUPT. */
function decodeRecords(bytes: Uint8Array | undefined): SheetRecord[] {
  if (bytes === undefined) return []
  const reader = byteReader(bytes)
  const list = Array.from({ length: reader.u8() }, () => {
    const period = { firstEpoch: reader.u32(), previous: reader.bytes(HASH_BYTES) }
    const root = reader.bytes(HASH_BYTES)
    const made = [...reader.bytes(reader.u8())]
    return { ...period, root: equalBytes(root, NO_ROOT) ? undefined : root, made }
  })
  reader.end()
  return list
}

function isSame(a: SheetPeriod, b: SheetPeriod): boolean {
  return a.firstEpoch === b.firstEpoch && equalBytes(a.previous, b.previous)
}

function recordName(shard: number): string {
  return `sheet-${shard}`
}
