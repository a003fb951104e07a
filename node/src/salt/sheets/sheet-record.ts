/**
 * Records the roots of the last sheets that a node signed or holds a certificate of, for each shard. PROTOCOL.md §5.1.
 * A root is on disk before the signature exists, so no crash leads to two sheets or a second seed for one period.
 * A root commits to the seed and reveals nothing about it. Throws STORAGE_CORRUPT.
 */
import { byteReader, byteWriter, HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

interface SheetRecord {
  firstEpoch: number
  root: Uint8Array
}

/** Records of one shard: the period in force, the one being agreed on, and two that failed. */
const RECORDS_MAX = 4

/** The records of one shard, newest period first. Throws STORAGE_CORRUPT. */
function decodeRecords(bytes: Uint8Array | undefined): SheetRecord[] {
  if (bytes === undefined) return []
  const reader = byteReader(bytes)
  const list = Array.from({ length: reader.u8() }, () => ({ firstEpoch: reader.u32(), root: reader.bytes(HASH_BYTES) }))
  reader.end()
  return list
}

/** The root that this node recorded for a period. Throws STORAGE_CORRUPT. */
export async function readSheetRoot(
  records: Records,
  shard: number,
  firstEpoch: number,
): Promise<Uint8Array | undefined> {
  return decodeRecords(await records.get(recordName(shard))).find((record) => record.firstEpoch === firstEpoch)?.root
}

/** Reads and writes in one step, because the next sheet may be signed while this period's certificate is recorded. */
export async function writeSheetRecord(records: Records, shard: number, record: SheetRecord): Promise<void> {
  await records.update(recordName(shard), (bytes) => {
    const others = decodeRecords(bytes).filter(({ firstEpoch }) => firstEpoch !== record.firstEpoch)
    const list = [record, ...others].sort((a, b) => b.firstEpoch - a.firstEpoch).slice(0, RECORDS_MAX)
    const writer = byteWriter(1 + RECORDS_MAX * (4 + HASH_BYTES)).u8(list.length)
    for (const { firstEpoch, root } of list) writer.u32(firstEpoch).bytes(root, HASH_BYTES)
    return writer.finish()
  })
}

function recordName(shard: number): string {
  return `sheet-${shard}`
}
