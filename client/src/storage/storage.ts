/**
 * The disk as the client uses it: ordered keys, atomic batches. DESIGN.md §9; README "What is stored". Keys are ASCII, ordered
 * by character code; values are bytes. One process at a time holds a storage.
 */
export type StorageOperation = { type: 'put'; key: string; value: Uint8Array } | { type: 'del'; key: string }

export interface Storage {
  get(key: string): Promise<Uint8Array | undefined>
  /** Writes all operations or none. Resolves when they are on the disk. */
  batch(operations: readonly StorageOperation[]): Promise<void>
  /** Entries whose key starts with `prefix`, ascending. Entries written during the iteration may be missing. */
  range(prefix: string): AsyncIterable<[key: string, value: Uint8Array]>
  close(): Promise<void>
}

export function put(key: string, value: Uint8Array): StorageOperation {
  return { type: 'put', key, value }
}

export function del(key: string): StorageOperation {
  return { type: 'del', key }
}

/** Operations that delete every entry but those whose key `stays`. */
export async function deleteAllBut(storage: Storage, stays: (key: string) => boolean): Promise<StorageOperation[]> {
  const operations: StorageOperation[] = []
  for await (const [key] of storage.range('')) if (!stays(key)) operations.push(del(key))
  return operations
}
