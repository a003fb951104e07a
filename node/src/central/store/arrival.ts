/**
 * The bytes of one sync in the database of a UTC day. PROTOCOL.md §8. Its blob has the rows as the frame had them. By its
 * entry the user finds the blob. A sync whose rows belong to two days has a blob in each of them. The blob
 * in the day of its arrival has the acknowledgement. Pure.
 *
 *   blob   user u32 ‖ n u16 ‖ n bytes of acknowledgement ‖ groups × (epoch u32 ‖ rows u16 ‖ rows × (hash 12 ‖ meta u8))
 *   acknowledgement   syncId 16 ‖ digest 32 ‖ basis; empty in a blob that has none
 *   entry  the epochs of the blob as bits u32 ‖ the first 8 bytes of the sync id
 */
import { byteReader, EPOCHS_PER_DAY, HASH_BYTES, ROW_BYTES, SYNC_ID_BYTES } from '@geotrace/core-wasm/wire'
import type { EpochRows, SyncRecord, User } from './central-store.ts'
import { NO_ROWS } from './row-set.ts'

const HEAD_BYTES = 6
const GROUP_BYTES = 6
/** Marks an entry whose blob has an acknowledgement. */
const ACKNOWLEDGED = 0x80000000
/** Words of an entry in memory: number of the blob, bits, and two words of the sync id. */
export const ENTRY_WORDS = 4

/** By hand, because every sync makes one, and a writer took twice as long (2026-11). */
export function encodeBlob(user: User, groups: readonly EpochRows[], ack?: SyncRecord): Uint8Array {
  const ackBytes = ack === undefined ? 0 : SYNC_ID_BYTES + HASH_BYTES + ack.basis.length
  let at = HEAD_BYTES + ackBytes
  const blob = new Uint8Array(groups.reduce((sum, { rows }) => sum + GROUP_BYTES + rows.length, at))
  writeU32(blob, 0, user)
  writeU16(blob, 4, ackBytes)
  if (ack !== undefined) {
    blob.set(ack.syncId, HEAD_BYTES)
    blob.set(ack.digest, HEAD_BYTES + SYNC_ID_BYTES)
    blob.set(ack.basis, HEAD_BYTES + SYNC_ID_BYTES + HASH_BYTES)
  }
  for (const { epoch, rows } of groups) {
    writeU32(blob, at, epoch)
    writeU16(blob, at + 4, rows.length / ROW_BYTES)
    blob.set(rows, at + GROUP_BYTES)
    at += GROUP_BYTES + rows.length
  }
  return blob
}

export function blobToUser(blob: Uint8Array): User {
  return readU32(blob, 0)
}

/** The blob with another number of its user. */
export function blobWithUser(blob: Uint8Array, user: User): Uint8Array {
  const copy = blob.slice()
  writeU32(copy, 0, user)
  return copy
}

export function blobToAck(blob: Uint8Array): SyncRecord | undefined {
  const reader = byteReader(blob.subarray(4))
  const size = reader.u16()
  if (size === 0) return undefined
  return {
    syncId: reader.bytes(SYNC_ID_BYTES),
    digest: reader.bytes(HASH_BYTES),
    basis: reader.bytes(size - SYNC_ID_BYTES - HASH_BYTES),
  }
}

export function blobToGroups(blob: Uint8Array): EpochRows[] {
  const groups: EpochRows[] = []
  for (let at = firstGroup(blob); at < blob.length; ) {
    const end = groupEnd(blob, at)
    groups.push({ epoch: readU32(blob, at), rows: blob.subarray(at + GROUP_BYTES, end) })
    at = end
  }
  return groups
}

/** The rows of one epoch. */
export function blobToRows(blob: Uint8Array, epoch: number): Uint8Array {
  for (let at = firstGroup(blob); at < blob.length; ) {
    const end = groupEnd(blob, at)
    if (readU32(blob, at) === epoch) return blob.subarray(at + GROUP_BYTES, end)
    at = end
  }
  return NO_ROWS
}

/** The bit of an epoch in entries of its day. */
export function epochToBit(epoch: number): number {
  return 1 << (epoch % EPOCHS_PER_DAY)
}

export function epochsToBits(groups: readonly { epoch: number }[]): number {
  return groups.reduce((bits, { epoch }) => bits | epochToBit(epoch), 0)
}

/** An entry in memory. */
export function toEntry(blob: number, groups: readonly EpochRows[], ack: SyncRecord | undefined): Uint32Array {
  const bits = epochsToBits(groups) | (ack === undefined ? 0 : ACKNOWLEDGED)
  const [a, b] = ack === undefined ? [0, 0] : syncIdToWords(ack.syncId)
  return Uint32Array.of(blob, bits, a, b)
}

export function encodeEntry(entry: Uint32Array): Uint8Array {
  const body = new Uint8Array(12)
  for (let i = 0; i < 3; i++) writeU32(body, 4 * i, entry[i + 1]!)
  return body
}

export function decodeEntry(blob: number, body: Uint8Array): Uint32Array {
  return Uint32Array.of(blob, readU32(body, 0), readU32(body, 4), readU32(body, 8))
}

/** The numbers of the blobs in a user's entries that have rows of these epochs (bits). */
export function blobsWith(entries: Uint32Array, bits: number): number[] {
  const blobs: number[] = []
  for (let i = 0; i < entries.length; i += ENTRY_WORDS) if ((entries[i + 1]! & bits) !== 0) blobs.push(entries[i]!)
  return blobs
}

/** The entries after these blobs lost their rows: without those that have no acknowledgement. */
export function entriesWithoutRows(entries: Uint32Array, blobs: ReadonlySet<number>): Uint32Array[] {
  const left: Uint32Array[] = []
  for (let i = 0; i < entries.length; i += ENTRY_WORDS) {
    const entry = entries.slice(i, i + ENTRY_WORDS)
    if (blobs.has(entry[0]!)) entry[1] = entry[1]! & ACKNOWLEDGED
    if (entry[1] !== 0) left.push(entry)
  }
  return left
}

/** The numbers of the blobs that may acknowledge this sync. */
export function blobsOfSync(entries: Uint32Array, syncId: Uint8Array): number[] {
  const [a, b] = syncIdToWords(syncId)
  const blobs: number[] = []
  for (let i = 0; i < entries.length; i += ENTRY_WORDS) {
    if (isAcknowledged(entries, i) && entries[i + 2] === a && entries[i + 3] === b) blobs.push(entries[i]!)
  }
  return blobs
}

export function countAcknowledged(entries: Uint32Array): number {
  let count = 0
  for (let i = 0; i < entries.length; i += ENTRY_WORDS) if (isAcknowledged(entries, i)) count++
  return count
}

function isAcknowledged(entries: Uint32Array, i: number): boolean {
  return entries[i + 1]! >= ACKNOWLEDGED
}

function syncIdToWords(syncId: Uint8Array): [number, number] {
  return [readU32(syncId, 0), readU32(syncId, 4)]
}

function firstGroup(blob: Uint8Array): number {
  return HEAD_BYTES + ((blob[4]! << 8) | blob[5]!)
}

function groupEnd(blob: Uint8Array, at: number): number {
  return at + GROUP_BYTES + ROW_BYTES * ((blob[at + 4]! << 8) | blob[at + 5]!)
}

function writeU32(to: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) to[at + i] = value >>> (24 - 8 * i)
}

function writeU16(to: Uint8Array, at: number, value: number): void {
  to[at] = value >>> 8
  to[at + 1] = value
}

function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
