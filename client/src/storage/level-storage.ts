/**
 * The storage of a real device: LevelDB in Node, IndexedDB in browsers, both through `level` (loaded on first use).
 * Every batch is synced to the disk before it resolves. One owner at a time: LevelDB locks its directory, and in browsers
 * a Web Lock keeps the second tab out.
 */
import { FederationError } from '@geotrace/core-wasm'
import { isNode } from '../dialers/runtime.ts'
import type { Storage } from './storage.ts'
import { holdTabLock } from './tab-lock.ts'

export interface LevelStorageOptions {
  /** In browsers: waits for the tab that holds the storage instead of throwing STORE_LOCKED; ABORTED ends the wait. */
  wait?: AbortSignal
}

/**
 * Opens or makes the store at `location` (a directory, or a database name). Throws STORE_LOCKED, STORAGE_CORRUPT,
 * ABORTED; its methods throw STORAGE_FULL and, when the browser took the database away, STORAGE_LOST.
 */
export async function levelStorage(location: string, { wait }: LevelStorageOptions = {}): Promise<Storage> {
  const release = isNode() ? () => {} : await holdTabLock(location, wait)
  const { Level } = await import('level')
  const level = new Level<string, Uint8Array>(location, { keyEncoding: 'utf8', valueEncoding: 'view' })
  try {
    await level.open()
  } catch (error) {
    release()
    throw openingError(location, error)
  }
  // In Node LevelDB reads at once: the hop to a thread and back costs several times the read. IndexedDB cannot.
  const direct = (level.supports as { getSync?: boolean }).getSync === true
  return {
    get: (key) => guard(location, async () => (direct ? level.getSync(key) : await level.get(key))),
    batch: (operations) => guard(location, () => level.batch([...operations], { sync: true })),
    async *range(prefix) {
      const entries = level.iterator({ gte: prefix, lt: `${prefix}\x7f` })[Symbol.asyncIterator]()
      try {
        while (true) {
          const { done, value } = await guard(location, () => entries.next())
          if (done === true) return
          yield value
        }
      } finally {
        await entries.return?.(undefined)
      }
    },
    async close() {
      await level.close()
      release()
    },
  }
}

async function guard<T>(location: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw operatingError(location, error)
  }
}

/** IndexedDB's ways to fail, by the names of its exceptions; LevelDB's by its code. */
function operatingError(location: string, error: unknown): unknown {
  const { name, code, message } = error as { name?: string; code?: unknown; message?: string }
  if (name === 'QuotaExceededError' || /No space left/.test(message ?? '')) {
    return new FederationError(
      'STORAGE_FULL',
      'there is no room left on the device',
      { what: location },
      { cause: error },
    )
  }
  if (typeof code !== 'string' && (name === 'InvalidStateError' || name === 'NotFoundError')) {
    const text = 'the browser has taken the storage away; reload the page'
    return new FederationError('STORAGE_LOST', text, { what: location }, { cause: error })
  }
  return error
}

function openingError(location: string, error: unknown): unknown {
  const codes = [error, (error as { cause?: unknown }).cause].map((item) => (item as { code?: string })?.code)
  if (codes.includes('LEVEL_LOCKED')) {
    return new FederationError('STORE_LOCKED', `${location} is open already`, { dir: location }, { cause: error })
  }
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new FederationError('STORAGE_CORRUPT', `${location} cannot be read`, { what: location }, { cause: error })
  }
  const { cause } = error as { cause?: unknown }
  const named = cause === undefined ? cause : operatingError(location, cause)
  return named === cause ? error : named
}
