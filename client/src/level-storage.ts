/**
 * The storage of a real device: LevelDB in Node, IndexedDB in browsers, both through `level` (loaded on first use).
 * Every batch is synced to the disk before it resolves.
 */
import { FederationError } from '@geotrace/core-wasm'
import type { Storage } from './storage.ts'

/** In Node LevelDB reads at once: the hop to a thread and back costs several times the read. IndexedDB cannot. */
interface DirectReads {
  getSync?(key: string): Uint8Array | undefined
}

/** Opens or makes the store at `location` (a directory, or a database name). Throws STORE_LOCKED, STORAGE_CORRUPT. */
export async function levelStorage(location: string): Promise<Storage> {
  const { Level } = await import('level')
  const level = new Level<string, Uint8Array>(location, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await level.open()
  } catch (error) {
    throw openingError(location, error)
  }
  const direct = level as unknown as DirectReads
  return {
    get: async (key) => (direct.getSync === undefined ? await level.get(key) : direct.getSync(key)),
    batch: (operations) => level.batch([...operations], { sync: true }),
    async *range(prefix) {
      yield* level.iterator({ gte: prefix, lt: `${prefix}\x7f` })
    },
    close: () => level.close(),
  }
}

function openingError(location: string, error: unknown): unknown {
  const codes = [error, (error as { cause?: unknown }).cause].map((item) => (item as { code?: string })?.code)
  if (codes.includes('LEVEL_LOCKED')) {
    return new FederationError('STORE_LOCKED', `${location} is open already`, { dir: location }, { cause: error })
  }
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new FederationError('STORAGE_CORRUPT', `${location} cannot be read`, { what: location }, { cause: error })
  }
  return error
}
