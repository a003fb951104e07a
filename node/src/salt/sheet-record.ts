/**
 * What a node writes down of a shard: the newest sheet it signed or took part in. PROTOCOL.md §5.1.
 * It is on disk before the signature exists, so no crash leads to two sheets or a second seed for one epoch.
 * A root commits to the seed and tells nothing about it.
 */
import { byteReader, byteWriter, HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../membership/records.ts'

export interface SheetRecord {
  firstEpoch: number
  /** The highest epoch that this node ever held a secret for. */
  lastEpoch: number
  root: Uint8Array
}

export async function readSheetRecord(records: Records, shard: number): Promise<SheetRecord | undefined> {
  const bytes = await records.get(recordName(shard))
  if (bytes === undefined) return undefined
  const reader = byteReader(bytes)
  const record = { firstEpoch: reader.u32(), lastEpoch: reader.u32(), root: reader.bytes(HASH_BYTES) }
  reader.end()
  return record
}

export async function writeSheetRecord(records: Records, shard: number, record: SheetRecord): Promise<void> {
  const { firstEpoch, lastEpoch, root } = record
  const bytes = byteWriter(8 + HASH_BYTES)
    .u32(firstEpoch)
    .u32(lastEpoch)
    .bytes(root, HASH_BYTES)
    .finish()
  await records.put(recordName(shard), bytes)
}

function recordName(shard: number): string {
  return `sheet-${shard}`
}
