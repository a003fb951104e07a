/**
 * One open LevelDB directory with byte keys and byte values, as the databases of both roles use it. PROTOCOL.md §8.
 * The interface is small, so that a test can put a disk under a database whose writes fail. Throws STORE_LOCKED,
 * STORE_MISSING, STORAGE_CORRUPT.
 */
import { concatBytes, FederationError } from '@geotrace/core-wasm/wire'
import { Level } from 'level'
import { errorChain, isDiskFault } from './disk-error.ts'

/** A key to write, or a key to delete when `value` is missing. */
export interface LevelOperation {
  readonly key: Uint8Array
  readonly value?: Uint8Array
}
export interface KeyRange {
  /** Inclusive. */
  readonly from: Uint8Array
  /** Exclusive. */
  readonly to: Uint8Array
}
export interface LevelHandle {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  /** The entries of a range in ascending order, many at a time. */
  entries(range: KeyRange): AsyncIterable<[key: Uint8Array, value: Uint8Array][]>
  keys(range: KeyRange): AsyncIterable<Uint8Array[]>
  /** The last key of a range. */
  last(range: KeyRange): Promise<Uint8Array | undefined>
  /** Writes all operations or none. With `sync` they are durable when the promise resolves. */
  write(operations: Iterable<LevelOperation>, sync: boolean): Promise<void>
  /** Removes deleted entries of this range from the tables, as far as LevelDB does that. */
  compact(range: KeyRange): Promise<void>
  close(): Promise<void>
}

interface LevelSettings {
  /** Creates the directory, which must not exist; otherwise it must exist. Undefined: creates it when it is missing. */
  readonly create?: boolean
  /** LevelDB writes a table after as many bytes. */
  readonly writeBufferBytes?: number
}
/** Opens a directory. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, and errors of the disk as they are. */
export type OpenLevel = (dir: string, settings?: LevelSettings) => Promise<LevelHandle>

/** Entries and bytes that an iterator reads at a time. The default of 16 KiB made a scan twice as dear (2026-11). */
const CHUNK = 256
const CHUNK_BYTES = 256 << 10

/** All keys. No key of this project is longer than 64 bytes. */
export const ALL_KEYS: KeyRange = { from: new Uint8Array(0), to: new Uint8Array(65).fill(0xff) }

/** The range of all keys that begin with `prefix`. */
export function prefixRange(prefix: Uint8Array): KeyRange {
  return { from: prefix, to: concatBytes(prefix, new Uint8Array(64).fill(0xff)) }
}

export const openLevel: OpenLevel = async (dir, { create, writeBufferBytes } = {}) => {
  const level = new Level<Uint8Array, Uint8Array>(dir, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    // Hashes are random bytes, which do not compress.
    compression: false,
    createIfMissing: create !== false,
    errorIfExists: create === true,
    ...(writeBufferBytes !== undefined && { writeBufferSize: writeBufferBytes }),
  })
  try {
    await level.open()
  } catch (error) {
    throw toOpeningError(error, dir)
  }
  const bounds = ({ from, to }: KeyRange) => ({ gte: from, lt: to, highWaterMarkBytes: CHUNK_BYTES })
  return {
    get: async (key) => plain(await level.get(key)),
    getMany: async (keys) => (await level.getMany([...keys])).map(plain),
    async *entries(range) {
      for await (const chunk of chunks(level.iterator(bounds(range)))) {
        yield chunk.map(([key, value]) => [plain(key)!, plain(value)!] as [Uint8Array, Uint8Array])
      }
    },
    async *keys(range) {
      for await (const chunk of chunks(level.keys(bounds(range)))) yield chunk.map((key) => plain(key)!)
    },
    async last(range) {
      for await (const [key] of chunks(level.keys({ ...bounds(range), reverse: true, limit: 1 }))) return plain(key)
      return undefined
    },
    async write(operations, sync) {
      // Use a chained batch, because the array form copies every operation (measured: 2–4 times slower).
      const batch = level.batch()
      for (const { key, value } of operations) {
        if (value === undefined) batch.del(key)
        else batch.put(key, value)
      }
      await batch.write({ sync } as object)
    },
    // The types of `level` leave out methods that only LevelDB has.
    compact: ({ from, to }) => (level as unknown as Compactable).compactRange(from, to),
    close: () => level.close(),
  }
}

/** Reads an iterator many items at a time: one step of the event loop for each item is several times slower. */
async function* chunks<T>(iterator: {
  nextv(size: number): Promise<T[]>
  close(): Promise<void>
}): AsyncGenerator<T[]> {
  try {
    for (;;) {
      const chunk = await iterator.nextv(CHUNK)
      if (chunk.length === 0) return
      yield chunk
    }
  } finally {
    await iterator.close()
  }
}

interface Compactable {
  compactRange(from: Uint8Array, to: Uint8Array): Promise<void>
}

/** Turns a Buffer of `level` into a plain Uint8Array, because `slice` of a Buffer shares memory. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes && new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function toOpeningError(error: unknown, dir: string): unknown {
  const chain = errorChain(error)
  if (chain.some(({ code }) => code === 'LEVEL_LOCKED')) {
    const text = 'another process has this database open; stop that process first'
    return new FederationError('STORE_LOCKED', text, { dir }, { cause: error })
  }
  if (chain.some(({ message }) => message?.includes('does not exist'))) {
    const text = 'a database is missing; mount the right disk, or restore the last backup'
    return new FederationError('STORE_MISSING', text, { dir }, { cause: error })
  }
  if (isDiskFault(error)) return error
  return new FederationError('STORAGE_CORRUPT', 'a database does not open', { what: dir }, { cause: error })
}
