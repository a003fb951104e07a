/**
 * The report of this device: what is due to be sent, and where the report stands. PROTOCOL.md §7.2. Both last in the storage.
 * Throws STORAGE_CORRUPT.
 */
import { bytesToHex, hexToBytes, type SyncKind } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** A code or a withdrawal. */
type DueKind = Extract<SyncKind, { kind: 'code' | 'withdraw' }>
export type WithdrawReason = Extract<SyncKind, { kind: 'withdraw' }>['reason']

export interface OwnReport {
  /**
   * `accepted`: the central peer has it. `held`: people check it before it is published. `published`: contacts are warned.
   * `updated`: another date was accepted. `withdrawn`: by this device. `ended`: its days are over, or the authority took it back.
   */
  stage: 'accepted' | 'held' | 'published' | 'updated' | 'withdrawn' | 'ended'
  /** When the central peer accepted it, Unix ms. */
  at: number
  /** From when this person may have infected others, Unix ms; as the user said it. */
  from?: number
  /** Start of the UTC day of the test, Unix ms; as the user said it. */
  testedAt?: number
  reason?: WithdrawReason
}

export function putDue(kind: DueKind): StorageOperation {
  return put(KEYS.due, encodeRecord(kind.kind === 'code' ? { ...kind, code: bytesToHex(kind.code) } : kind))
}

export async function readDue(storage: Storage): Promise<DueKind | undefined> {
  const bytes = await storage.get(KEYS.due)
  if (bytes === undefined) return undefined
  const kind = decodeRecord<DueKind & { code: string }>(KEYS.due, bytes)
  return kind.kind === 'code' ? { ...kind, code: hexToBytes(kind.code) } : kind
}

export async function readOwnReport(storage: Storage): Promise<OwnReport | undefined> {
  const bytes = await storage.get(KEYS.report)
  return bytes === undefined ? undefined : decodeRecord<OwnReport>(KEYS.report, bytes)
}
