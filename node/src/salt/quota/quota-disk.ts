/**
 * Stores the entries of the quota table: LevelDB in a directory of the node. PROTOCOL.md §5.5. After a failed write the
 * directory is opened again before the next write. Writes are not synced, because a power cut may cost quota.
 * The interface is small, so that a simulation can use a disk of its own. Throws STORE_LOCKED, STORAGE_FULL, BUSY.
 */
import { reopening } from '@geotrace/core-wasm'
import { makePrivateDir } from '../../platform/atomic-file.ts'
import { toDiskError } from '../../platform/disk-error.ts'
import { ALL_KEYS, type LevelOperation, type OpenLevel, openLevel, prefixRange } from '../../platform/level-handle.ts'

export interface QuotaDisk {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Writes all entries or none. */
  put(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Promise<void>
  delete(keys: readonly Uint8Array[]): Promise<void>
  /** All entries, or those whose keys begin with these bytes. */
  entries(start?: Uint8Array): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  close(): Promise<void>
}

export async function levelQuotaDisk(dir: string, open: OpenLevel = openLevel): Promise<QuotaDisk> {
  await makePrivateDir(dir)
  const level = await reopening({ open: () => open(dir), close: (handle) => handle.close() })
  const guard = async <T>(task: () => Promise<T>): Promise<T> => {
    try {
      return await task()
    } catch (error) {
      throw toDiskError(error, 'quota table')
    }
  }
  const write = (operations: LevelOperation[]) => guard(() => level.write((handle) => handle.write(operations, false)))
  return {
    get: (key) => guard(async () => (await level.handle()).get(key)),
    put: (entries) => write(entries.map(([key, value]) => ({ key, value }))),
    delete: (keys) => write(keys.map((key) => ({ key }))),
    async *entries(start) {
      const range = start === undefined ? ALL_KEYS : prefixRange(start)
      for await (const chunk of (await guard(() => level.handle())).entries(range)) yield* chunk
    },
    close: () => level.close(),
  }
}
