/**
 * The storage of a real device: LevelDB in Node, IndexedDB in browsers, both through `level`, which is loaded on first use.
 * Every batch is synced to the disk before it resolves. After a failed batch the database is opened again before the next
 * one. A storage has one owner at a time: LevelDB locks its directory, and in browsers a Web Lock keeps a second tab out.
 */
import { FederationError, type Reopening, reopening } from '@geotrace/core-wasm'
import { isNode } from '../dialers/runtime.ts'
import type { Storage } from './storage.ts'
import { holdTabLock } from './tab-lock.ts'

export interface LevelStorageOptions {
  /** In browsers: wait for the tab that holds the storage, instead of STORE_LOCKED. When it aborts, ABORTED is thrown. */
  wait?: AbortSignal
}

/**
 * Opens or makes the store at `location` (a directory, or a database name). Throws STORE_LOCKED, STORAGE_CORRUPT,
 * ABORTED; its methods throw STORAGE_FULL and, when the browser took the database away, STORAGE_LOST.
 */
export async function levelStorage(location: string, { wait }: LevelStorageOptions = {}): Promise<Storage> {
  const release = isNode() ? () => {} : await holdTabLock(location, wait)
  const { Level } = await import('level')
  type Handle = InstanceType<typeof Level<string, Uint8Array>>
  // A database that is opened again exists. Without its index LevelDB would open it as an empty one.
  let createIfMissing = true
  const open = async (): Promise<Handle> => {
    const level: Handle = new Level(location, { keyEncoding: 'utf8', valueEncoding: 'view' })
    try {
      await level.open({ createIfMissing })
    } catch (error) {
      throw openingError(location, error)
    }
    createIfMissing = false
    return level
  }
  let handles: Reopening<Handle>
  try {
    handles = await reopening({ open, close: (level) => level.close() })
  } catch (error) {
    release()
    throw error
  }
  // IndexedDB aborts the transaction of a failed batch and stays sound.
  const write: typeof handles.write = isNode() ? handles.write : async (task) => task(await handles.handle())
  return {
    get: (key) =>
      guard(location, async () => {
        const level = await handles.handle()
        // In Node a synchronous read of LevelDB is several times faster than a hop to a thread. IndexedDB has none.
        return isDirect(level) ? level.getSync(key) : await level.get(key)
      }),
    batch: (operations) => guard(location, () => write((level) => level.batch([...operations], { sync: true }))),
    async *range(prefix) {
      const level = await guard(location, () => handles.handle())
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
      await handles.close()
      release()
    },
  }
}

function isDirect({ supports }: { supports: object }): boolean {
  return (supports as { getSync?: boolean }).getSync === true
}

async function guard<T>(location: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw operatingError(location, error)
  }
}

/** Maps failures to codes: those of IndexedDB by the name of the exception, those of LevelDB by its code. */
function operatingError(location: string, error: unknown): unknown {
  const { name, code, message } = error as { name?: string; code?: unknown; message?: string }
  if (name === 'QuotaExceededError' || /No space left/.test(message ?? '')) {
    return new FederationError(
      'STORAGE_FULL',
      'the device has no free space left; free some and try again',
      { what: location },
      { cause: error },
    )
  }
  if (typeof code !== 'string' && (name === 'InvalidStateError' || name === 'NotFoundError')) {
    const text = 'the browser closed the storage; reload the page'
    return new FederationError('STORAGE_LOST', text, { what: location }, { cause: error })
  }
  return error
}

function openingError(location: string, error: unknown): unknown {
  const codes = [error, (error as { cause?: unknown }).cause].map((item) => (item as { code?: string })?.code)
  if (codes.includes('LEVEL_LOCKED')) {
    return new FederationError(
      'STORE_LOCKED',
      `${location} is open in another process; close that process first`,
      { dir: location },
      { cause: error },
    )
  }
  if (codes.includes('LEVEL_CORRUPTION')) {
    return new FederationError('STORAGE_CORRUPT', `${location} cannot be read`, { what: location }, { cause: error })
  }
  const { cause } = error as { cause?: unknown }
  const named = cause === undefined ? cause : operatingError(location, cause)
  return named === cause ? error : named
}
