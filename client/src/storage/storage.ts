/**
 * What the device needs of a disk: ordered keys, atomic batches. DESIGN.md §9; README "What is stored".
 * Keys are ASCII, ordered by character code; values are bytes. One process at a time holds a storage.
 */
export type StorageOperation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  /** All or nothing, and on the disk when it resolves. */
  batch(operations: readonly StorageOperation[]): Promise<void>
  /** Entries whose key starts with `prefix`, ascending; what is written meanwhile may be missing. */
  range(prefix: string): AsyncIterable<[key: string, value: Uint8Array]>
  close(): Promise<void>
}

export function put(key: string, value: Uint8Array): StorageOperation {
  return { type: 'put', key, value }
}

export function del(key: string): StorageOperation {
  return { type: 'del', key }
}
