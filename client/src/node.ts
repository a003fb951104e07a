/**
 * The client in Node: the same package, with a storage that only its owner may read.
 * @module
 */
import { mkdir } from 'node:fs/promises'
import { levelStorage as openLevelStorage } from './storage/level-storage.ts'
import type { Storage } from './storage/storage.ts'

export * from './index.ts'

/** Opens a storage in the directory `dir`, which is made with mode 0700. Throws STORE_LOCKED, STORAGE_CORRUPT. */
export async function levelStorage(dir: string): Promise<Storage> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  return openLevelStorage(dir)
}
