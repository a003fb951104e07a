/**
 * Stores the entries of the quota table: LevelDB in a directory of the node. PROTOCOL.md §5.5. Throws STORE_LOCKED.
 * The interface is small, so that a simulation can use a disk of its own.
 */
import { concatBytes, FederationError } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { makePrivateDir } from '../../platform/atomic-file.ts'

/** No key of the table is longer, so no key with the same start is greater. */
const AFTER_ALL = new Uint8Array(64).fill(0xff)

export interface QuotaDisk {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** Writes all entries or none. */
  put(entries: readonly (readonly [key: Uint8Array, value: Uint8Array])[]): Promise<void>
  delete(keys: readonly Uint8Array[]): Promise<void>
  /** All entries, or those whose keys begin with these bytes. */
  entries(start?: Uint8Array): AsyncIterable<[key: Uint8Array, value: Uint8Array]>
  close(): Promise<void>
}

export async function levelQuotaDisk(dir: string): Promise<QuotaDisk> {
  await makePrivateDir(dir)
  const level = new Level<Uint8Array, Uint8Array>(dir, { keyEncoding: 'view', valueEncoding: 'view' })
  await level.open().catch((cause: unknown) => {
    if (!isLocked(cause)) throw cause
    throw new FederationError('STORE_LOCKED', `another node runs in ${dir}`, { dir }, { cause })
  })
  return {
    get: (key) => level.get(key),
    put: (entries) => level.batch(entries.map(([key, value]) => ({ type: 'put', key, value }))),
    delete: (keys) => level.batch(keys.map((key) => ({ type: 'del', key }))),
    entries: (start = new Uint8Array(0)) =>
      level.iterator(start.length === 0 ? {} : { gte: start, lte: concatBytes(start, AFTER_ALL) }),
    close: () => level.close(),
  }
}

function isLocked(error: unknown): boolean {
  return error instanceof Error && ((error as { code?: unknown }).code === 'LEVEL_LOCKED' || isLocked(error.cause))
}
