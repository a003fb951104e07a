/**
 * One LevelDB directory as we use it: sealed values, bytes for keys, every write synced and in groups. PROTOCOL.md §8.
 * Writes that arrive while another is being synced go to disk together: the price of one fsync is shared.
 */
import { concatBytes, FederationError } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { corrupt, sealValue, unsealValue } from './checksummed-value.ts'

/** Operations in one synced batch; more wait for the next, so that no reply waits for an endless one. */
const BATCH_OPERATIONS_MAX = 4_096
/** 8 MB before a table is written: seventeen open days stay below 300 MB. */
const WRITE_BUFFER_BYTES = 8 << 20

/** A key to write, or to delete when it has no body. */
export interface Operation {
  readonly key: Uint8Array
  readonly body?: Uint8Array
}
export interface Range {
  /** Inclusive. */
  readonly from: Uint8Array
  /** Exclusive. */
  readonly to: Uint8Array
}

export interface Database {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  entries(range: Range): AsyncGenerator<[key: Uint8Array, body: Uint8Array]>
  keys(range: Range): AsyncGenerator<Uint8Array>
  /** Durable when it resolves; all or nothing. */
  write(operations: readonly Operation[]): Promise<void>
  /** Removes what was deleted in this range from the tables, as far as LevelDB does. */
  compact(range: Range): Promise<void>
  close(): Promise<void>
}

/**
 * Opens `dir`; only `create` makes a new one, because LevelDB opens a directory whose index is lost as an empty
 * database otherwise. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT.
 */
export async function openDatabase(dir: string, what: string, create: boolean): Promise<Database> {
  const db = new Level<Uint8Array, Uint8Array>(dir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Hashes do not compress.
    compression: false,
    writeBufferSize: WRITE_BUFFER_BYTES,
    createIfMissing: create,
    errorIfExists: create,
  })
  try {
    await db.open()
  } catch (error) {
    throw toStoreError(error, dir, what)
  }
  const bounds = ({ from, to }: Range) => ({ gte: from, lt: to })
  return {
    async get(key) {
      const value = await guarded(what, db.get(key))
      return value === undefined ? undefined : unsealValue(key, plain(value), what)
    },
    async *entries(range) {
      const iterator = db.iterator(bounds(range))
      try {
        for (;;) {
          const entry = await guarded(what, iterator.next())
          if (entry === undefined) return
          const key = plain(entry[0])
          yield [key, unsealValue(key, plain(entry[1]), what)]
        }
      } finally {
        await iterator.close()
      }
    },
    async *keys(range) {
      const iterator = db.keys(bounds(range))
      try {
        for (;;) {
          const key = await guarded(what, iterator.next())
          if (key === undefined) return
          yield plain(key)
        }
      } finally {
        await iterator.close()
      }
    },
    write: groupCommit(db),
    // `level` does not type what only LevelDB can do.
    compact: ({ from, to }) => (db as unknown as Compactable).compactRange(from, to),
    close: () => db.close(),
  }
}

interface Compactable {
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>
}

/** All keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): Range {
  return { from: prefix, to: concatBytes(prefix, new Uint8Array(64).fill(0xff)) }
}

function groupCommit(db: Level<Uint8Array, Uint8Array>): Database['write'] {
  type Waiting = { operations: readonly Operation[]; resolve: () => void; reject: (error: unknown) => void }
  let waiting: Waiting[] = []
  let running = false

  const run = async (): Promise<void> => {
    running = true
    while (waiting.length > 0) {
      let size = 0
      let end = 0
      while (end < waiting.length && (end === 0 || size < BATCH_OPERATIONS_MAX))
        size += waiting[end++]!.operations.length
      const group = waiting.slice(0, end)
      waiting = waiting.slice(end)
      try {
        // A chained batch: the array form copies every operation (measured 2–4 times slower).
        const batch = db.batch()
        for (const { key, body } of group.flatMap(({ operations }) => operations)) {
          if (body === undefined) batch.del(key)
          else batch.put(key, sealValue(key, body))
        }
        await batch.write({ sync: true })
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(error)
      }
    }
    running = false
  }
  return (operations) =>
    new Promise((resolve, reject) => {
      waiting.push({ operations, resolve, reject })
      if (!running) void run()
    })
}

async function guarded<T>(what: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    if (errorCodes(error).includes('LEVEL_CORRUPTION')) corrupt(what, error)
    throw error
  }
}

/** `level` hands out Buffers, whose `slice` shares memory. */
function plain({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}

function errorCodes(error: unknown): unknown[] {
  if (!(error instanceof Error)) return []
  return [(error as { code?: unknown }).code, ...errorCodes(error.cause)]
}

function toStoreError(error: unknown, dir: string, what: string): unknown {
  const codes = errorCodes(error)
  if (codes.includes('LEVEL_LOCKED')) {
    return new FederationError('STORE_LOCKED', 'another process has this store open', { dir }, { cause: error })
  }
  const messages = `${error} ${error instanceof Error ? error.cause : ''}`
  if (messages.includes('does not exist')) {
    return new FederationError('STORE_MISSING', `a part of the store is missing: ${what}`, { dir }, { cause: error })
  }
  return new FederationError('STORAGE_CORRUPT', `the store does not open: ${what}`, { what }, { cause: error })
}
