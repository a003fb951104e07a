/**
 * A batch: one sync request to the central peer, as a value. PROTOCOL.md §7.2. A batch is frozen on the disk before it is
 * sent, and sent again byte for byte until the central peer acknowledged it. At most one batch is frozen at a time.
 */
import { encodeSyncRequest, type SyncRequest } from '@geotrace/core-wasm/wire'
import { KEYS } from '../storage/key-layout.ts'
import { del, put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** `rows`: a deposit, perhaps an empty one. `report`: the same with a report code or a withdrawal. `erase`: forget this user. */
const BATCH_KINDS = ['rows', 'report', 'erase'] as const
type BatchKind = (typeof BATCH_KINDS)[number]

export interface Batch {
  readonly kind: BatchKind
  /** The request, encoded and padded to a size class: the bytes to send. */
  readonly frame: Uint8Array
}

/** `classes`: the size classes of the manifest, ascending. */
export function requestToBatch(request: SyncRequest, classes: readonly number[]): Batch {
  const { kind } = request.report
  return {
    kind: kind === 'none' ? 'rows' : kind === 'erase' ? 'erase' : 'report',
    frame: encodeSyncRequest(request, classes),
  }
}

/** The batch on its way, if there is one. */
export async function readFrozen(storage: Storage): Promise<Batch | undefined> {
  const frame = await storage.get(KEYS.frozen)
  const kind = await readKind(storage)
  return frame === undefined || kind === undefined ? undefined : { kind, frame }
}

/** True from `eraseAll` until the central peer acknowledged the erasure. */
export async function isErasing(storage: Storage): Promise<boolean> {
  return (await readKind(storage)) === 'erase'
}

/** Puts the batch on the disk. From then on a code or a withdrawal stands in the batch only. */
export function freeze({ kind, frame }: Batch): StorageOperation[] {
  const due = kind === 'report' ? [del(KEYS.due)] : []
  return [...due, put(KEYS.frozen, frame), put(KEYS.frozenKind, Uint8Array.of(BATCH_KINDS.indexOf(kind)))]
}

export function deleteFrozen(): StorageOperation[] {
  return [del(KEYS.frozen), del(KEYS.frozenKind)]
}

async function readKind(storage: Storage): Promise<BatchKind | undefined> {
  const bytes = await storage.get(KEYS.frozenKind)
  return bytes === undefined ? undefined : BATCH_KINDS[bytes[0]!]
}
