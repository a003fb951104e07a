/**
 * One LevelDB directory with byte keys and checksummed values, in which every write is synced. PROTOCOL.md §8.
 * Writes that arrive during a sync go to disk together in the next one, so that they share the cost of one fsync.
 * Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT.
 */
import { concatBytes, FederationError } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { addChecksum, corrupt, verifyChecksum } from './checksummed-value.ts'

/** Operations in one synced batch. Further ones wait for the next batch, so that no reply waits for an endless batch. */
const BATCH_OPERATIONS_MAX = 4_096
/** LevelDB writes a table after 8 MB. With seventeen open days the buffers stay below 300 MB. */
const WRITE_BUFFER_BYTES = 8 << 20

/** A key to write, or a key to delete when `body` is missing. */
export interface Operation {
  readonly key: Uint8Array
  readonly body?: Uint8Array
}
interface Range {
  /** Inclusive. */
  readonly from: Uint8Array
  /** Exclusive. */
  readonly to: Uint8Array
}

export interface Database {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  entries(range: Range): AsyncGenerator<[key: Uint8Array, body: Uint8Array]>
  keys(range: Range): AsyncGenerator<Uint8Array>
  /** Writes all operations or none; they are durable when the promise resolves. */
  write(operations: readonly Operation[]): Promise<void>
  /** Removes deleted entries of this range from the tables, as far as LevelDB does that. */
  compact(range: Range): Promise<void>
  close(): Promise<void>
}

/**
 * Opens `dir`, or creates it when `create` is set. Without that distinction LevelDB would open a directory whose index
 * is lost as an empty database. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT.
 */
export async function openDatabase(dir: string, what: string, create: boolean): Promise<Database> {
  const db = new Level<Uint8Array, Uint8Array>(dir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Hashes are random bytes, which do not compress.
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
      return value === undefined ? undefined : verifyChecksum(key, plain(value), what)
    },
    async *entries(range) {
      const iterator = db.iterator(bounds(range))
      try {
        for (;;) {
          const entry = await guarded(what, iterator.next())
          if (entry === undefined) return
          const key = plain(entry[0])
          yield [key, verifyChecksum(key, plain(entry[1]), what)]
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
    // The types of `level` leave out methods that only LevelDB has.
    compact: ({ from, to }) => (db as unknown as Compactable).compactRange(from, to),
    close: () => db.close(),
  }
}

interface Compactable {
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>
}

/** The range of all keys that begin with `prefix`. */
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
        // Use a chained batch, because the array form copies every operation (measured: 2–4 times slower).
        const batch = db.batch()
        for (const { key, body } of group.flatMap(({ operations }) => operations)) {
          if (body === undefined) batch.del(key)
          else batch.put(key, addChecksum(key, body))
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

/** Turns a Buffer of `level` into a plain Uint8Array, because `slice` of a Buffer shares memory. */
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
    return new FederationError(
      'STORE_LOCKED',
      'another process has this store open; stop it first',
      { dir },
      { cause: error },
    )
  }
  const messages = `${error} ${error instanceof Error ? error.cause : ''}`
  if (messages.includes('does not exist')) {
    return new FederationError(
      'STORE_MISSING',
      `a part of the store is missing (${what}); restore the last backup`,
      { dir },
      { cause: error },
    )
  }
  return new FederationError(
    'STORAGE_CORRUPT',
    `the store does not open (${what}); restore the last backup`,
    { what },
    { cause: error },
  )
}
