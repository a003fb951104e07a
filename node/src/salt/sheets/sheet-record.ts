/**
 * Records the roots of the last sheets that a node signed or holds a certificate of, for each shard. PROTOCOL.md §5.1.
 * A root binds the node for one period after one roster. Another roster before it means another sheet.
 * A root is on disk before the signature exists, so no crash leads to two sheets or a second seed.
 * A root commits to the seed and reveals nothing about it. Throws STORAGE_CORRUPT.
 */
import { byteReader, byteWriter, equalBytes, HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/** The roster before and the period that a root belongs to. */
interface SheetPeriod {
  /** Hash of the roster before. */
  previous: Uint8Array
  firstEpoch: number
}
interface SheetRecord extends SheetPeriod {
  root: Uint8Array
}

/** Records of one shard: the period in force, the one being agreed on, two that failed, and four of an overtaken chain. */
const RECORDS_MAX = 8
const RECORD_BYTES = 4 + 2 * HASH_BYTES

/** The records of one shard, newest period first. Throws STORAGE_CORRUPT. */
function decodeRecords(bytes: Uint8Array | undefined): SheetRecord[] {
  if (bytes === undefined) return []
  const reader = byteReader(bytes)
  const list = Array.from({ length: reader.u8() }, () => ({
    firstEpoch: reader.u32(),
    previous: reader.bytes(HASH_BYTES),
    root: reader.bytes(HASH_BYTES),
  }))
  reader.end()
  return list
}

/** The root that this node recorded for a period. Throws STORAGE_CORRUPT. */
export async function readSheetRoot(
  records: Records,
  shard: number,
  period: SheetPeriod,
): Promise<Uint8Array | undefined> {
  return decodeRecords(await records.get(recordName(shard))).find((record) => isSame(record, period))?.root
}

/** Reads and writes in one step, because the next sheet may be signed while this period's certificate is recorded. */
export async function writeSheetRecord(records: Records, shard: number, record: SheetRecord): Promise<void> {
  await records.update(recordName(shard), (bytes) => {
    const others = decodeRecords(bytes).filter((item) => !isSame(item, record))
    const list = [record, ...others].sort((a, b) => b.firstEpoch - a.firstEpoch).slice(0, RECORDS_MAX)
    const writer = byteWriter(1 + list.length * RECORD_BYTES).u8(list.length)
    for (const { firstEpoch, previous, root } of list)
      writer.u32(firstEpoch).bytes(previous, HASH_BYTES).bytes(root, HASH_BYTES)
    return writer.finish()
  })
}

function isSame(a: SheetPeriod, b: SheetPeriod): boolean {
  return a.firstEpoch === b.firstEpoch && equalBytes(a.previous, b.previous)
}

function recordName(shard: number): string {
  return `sheet-${shard}`
}
