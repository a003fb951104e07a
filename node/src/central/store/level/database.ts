/**
 * One database of the central store: sealed values in LevelDB, every write synced and tallied. PROTOCOL.md §8.
 * Writes that arrive during a sync go to disk together in the next one, so that they share the cost of one fsync.
 * LevelDB checks neither its tables nor the end of its log, so a damaged entry would be missing without an error. When the
 * logs are whole, each read checks the blocks of tables that it needs. So a start costs the same however much there is.
 * Otherwise, and after a failed write, the database first compares all its entries with its tally. `verify` does that
 * too, and opens all values.
 * Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Reopening, reopening } from '@geotrace/core-wasm'
import { busy, equalBytes, isFederationError } from '@geotrace/core-wasm/wire'
import { isDiskFull, toDiskError } from '../../../platform/disk-error.ts'
import {
  ALL_KEYS,
  type KeyRange,
  type LevelHandle,
  type LevelOperation,
  type OpenLevel,
} from '../../../platform/level-handle.ts'
import { areLogsWhole, listTables, type TableChecks, tableChecks } from '../../../platform/level-tables.ts'
import type { Condition } from '../central-store.ts'
import { corrupt } from '../sealed-value.ts'
import { decodeTally, encodeTally, entryToSum, TALLY_KEY, type Tally } from './tally.ts'
import type { DatabaseSeal } from './user-seal.ts'

/** Operations in one synced batch. Further ones wait for the next batch, so that no reply waits for an endless batch. */
const BATCH_OPERATIONS_MAX = 4_096
/**
 * LevelDB writes a table after 16 MB and keeps two buffers. Rows arrive for four days at most: 128 MB. With 8 MB a deposit
 * cost twice as much, and a third more bytes were written (2026-11).
 */
const WRITE_BUFFER_BYTES = 16 << 20
/** Pause after a failed attempt to open the database again, so that a full disk is not tried without end. */
const AGAIN_MS = 1_000

/**
 * A file in the directory of a database whose tables are not all checked. A process that ended on damage inside LevelDB
 * leaves the file; then the next one checks everything first.
 */
const UNCHECKED = 'UNCHECKED'

/** A key to write, or a key to delete when `body` is missing. */
export interface Operation {
  readonly key: Uint8Array
  readonly body?: Uint8Array
  /** The database has no entry of this key, so that the write need not read it first. */
  readonly isNew?: boolean
}

export interface Database {
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]>
  entries(range: KeyRange): AsyncGenerator<[key: Uint8Array, body: Uint8Array]>
  keys(range: KeyRange): AsyncGenerator<Uint8Array>
  /** The last key of a range. */
  last(range: KeyRange): Promise<Uint8Array | undefined>
  /**
   * Writes all operations or none; they are durable when the promise resolves. `change` is added to the counts in the
   * same batch. With neither it resolves after all writes before. Throws STORAGE_FULL, BUSY; the write may
   * still be on the disk after an error.
   */
  write(operations: readonly Operation[], change?: readonly number[]): Promise<void>
  /** Reads all entries and compares them with the tally. Throws STORAGE_CORRUPT. */
  verify(): Promise<void>
  /** Removes deleted entries of this range from the tables, as far as LevelDB does that. */
  compact(range: KeyRange): Promise<void>
  /** The tally after the last acknowledged write. */
  readonly tally: Tally
  readonly what: string
  readonly condition: Condition
  close(): Promise<void>
}
export interface DatabaseInit {
  dir: string
  /** The name of the database in messages. */
  what: string
  /** Creates the database, which must not exist. Otherwise LevelDB would open a directory without an index as empty. */
  create: boolean
  /** Opens the directory; default: LevelDB. */
  open: OpenLevel
  clock: Clock
  /** Seals the values. */
  seal: DatabaseSeal
  /** A tally that an existing database had at some time: it has no fewer writes. */
  known: Tally
  /** Receives the tally after each write. */
  onWrite?(tally: Tally): void
}

type ValueInit = Pick<DatabaseInit, 'seal' | 'what'>

/** Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY. */
export async function openDatabase(init: DatabaseInit): Promise<Database> {
  if (init.create) await create(init)
  const database = new LevelDatabase(init)
  try {
    await database.get(TALLY_KEY)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** An existing database that is opened with the first call, so that a start takes no longer beside many of them. */
export function lazyDatabase(init: Omit<DatabaseInit, 'create'>): Database {
  return new LevelDatabase(init)
}

/** A new database has its tally before anything else. A database without one was opened empty by LevelDB after damage. */
async function create({ dir, what, open, known, seal }: DatabaseInit): Promise<void> {
  try {
    const handle = await open(dir, { create: true })
    try {
      const body = encodeTally(known)
      await handle.write([{ key: TALLY_KEY, value: seal.seal(TALLY_KEY, body) }], true)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw toDiskError(error, what)
  }
}

interface Waiting {
  readonly operations: readonly Operation[]
  readonly change: readonly number[]
  resolve(): void
  reject(error: unknown): void
}

class LevelDatabase implements Database {
  readonly #init: Omit<DatabaseInit, 'create'>
  #tally: Tally
  #opening: Promise<Reopening<LevelHandle>> | undefined
  #reopening: Reopening<LevelHandle> | undefined
  /** The error of the first opening. */
  #fault: unknown
  /** The damage that an opening or a verification found, for every later call: a repetition would read everything again. */
  #damage: unknown
  #waiting: Waiting[] = []
  #isWriting = false
  #isDamaged = false
  /** The checks of each read; undefined when everything is compared first. */
  #checks: TableChecks | undefined
  #verified: { handle: LevelHandle; done: Promise<void> } | undefined
  #failedMs = Number.NEGATIVE_INFINITY

  constructor(init: Omit<DatabaseInit, 'create'>) {
    this.#init = init
    this.#tally = init.known
  }

  get tally(): Tally {
    return this.#tally
  }
  get what(): string {
    return this.#init.what
  }
  get condition(): Condition {
    if (this.#isDamaged) return 'damaged'
    const fault = this.#reopening === undefined ? this.#fault : this.#reopening.fault
    if (fault === undefined) return 'sound'
    return isDiskFull(fault) ? 'full' : 'failed'
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#reading([toRange(key)], async (handle) => {
      const value = await handle.get(key)
      return value === undefined ? undefined : this.#init.seal.open(key, value, this.#init.what)
    })
  }
  getMany(keys: readonly Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    const { what, seal } = this.#init
    return this.#reading(keys.map(toRange), async (handle) => {
      const values = await handle.getMany(keys)
      return values.map((value, i) => value && seal.open(keys[i]!, value, what))
    })
  }
  async *entries(range: KeyRange): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { what, seal } = this.#init
    yield* this.#each(
      range,
      (handle) => handle.entries(range),
      ([key, value]) => {
        const body = seal.open(key, value, what)
        return body && ([key, body] as [Uint8Array, Uint8Array])
      },
    )
  }
  async *keys(range: KeyRange): AsyncGenerator<Uint8Array> {
    yield* this.#each(
      range,
      (handle) => handle.keys(range),
      (key) => key,
    )
  }
  last(range: KeyRange): Promise<Uint8Array | undefined> {
    return this.#reading([], (handle) => this.#lastChecked(handle, range))
  }
  write(operations: readonly Operation[], change: readonly number[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operations, change, resolve, reject })
      if (!this.#isWriting) void this.#writeWaiting()
    })
  }
  async verify(): Promise<void> {
    await this.#reading([], async (handle) => {
      try {
        await this.#compareAll(handle)
      } catch (error) {
        if (isFederationError(error, 'STORAGE_CORRUPT')) this.#damage = error
        throw error
      }
    })
  }
  compact(range: KeyRange): Promise<void> {
    return this.#reading([range], (handle) => handle.compact(range))
  }
  async close(): Promise<void> {
    await this.#opening?.then(
      (opened) => opened.close(),
      () => {},
    )
    if (this.#checks !== undefined) await this.#noteChecked()
  }

  async #writeWaiting(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      let size = 0
      let end = 0
      while (end < this.#waiting.length && (end === 0 || size < BATCH_OPERATIONS_MAX))
        size += this.#waiting[end++]!.operations.length
      const group = this.#waiting.splice(0, end)
      if (size === 0 && group.every(({ change }) => change.length === 0)) {
        for (const { resolve } of group) resolve()
        continue
      }
      try {
        await this.#checked([])
        this.#tally = await this.#reopening!.write((handle) => this.#writeGroup(handle, group))
        this.#init.onWrite?.(this.#tally)
        for (const { resolve } of group) resolve()
      } catch (error) {
        for (const { reject } of group) reject(this.#toError(error))
      }
    }
    this.#isWriting = false
  }

  async #writeGroup(handle: LevelHandle, group: readonly Waiting[]): Promise<Tally> {
    return await writeGroup(handle, this.#init.seal, this.#tally, group, (keys) => this.#check(keys.map(toRange)))
  }

  async #reading<T>(ranges: readonly KeyRange[], task: (handle: LevelHandle) => Promise<T>): Promise<T> {
    try {
      return await task(await this.#checked(ranges))
    } catch (error) {
      throw this.#toError(error)
    }
  }

  /** The items that `map` makes something of. */
  async *#each<T, U>(
    range: KeyRange,
    read: (handle: LevelHandle) => AsyncIterable<T[]>,
    map: (item: T) => U | undefined,
  ): AsyncGenerator<U> {
    try {
      for await (const chunk of read(await this.#checked([range]))) {
        for (const item of chunk) {
          const mapped = map(item)
          if (mapped !== undefined) yield mapped
        }
      }
    } catch (error) {
      throw this.#toError(error)
    }
  }

  /** The open handle, after a check of what LevelDB reads for these ranges. */
  async #checked(ranges: readonly KeyRange[]): Promise<LevelHandle> {
    if (this.#damage !== undefined) throw this.#damage
    const handle = await (await this.#opened()).handle()
    if (this.#checks === undefined) return await this.#sound()
    await this.#check(ranges)
    return handle
  }

  async #check(ranges: readonly KeyRange[]): Promise<void> {
    try {
      for (const range of ranges) await this.#checks?.range(range)
    } catch (error) {
      if (isFederationError(error, 'STORAGE_CORRUPT')) this.#damage = error
      throw error
    }
  }

  /** Looks again after a check of everything from the last key on, until that changes nothing. */
  async #lastChecked(handle: LevelHandle, range: KeyRange): Promise<Uint8Array | undefined> {
    let from: Uint8Array | undefined
    for (;;) {
      const key = await handle.last(range)
      if (from !== undefined && equalBytes(key ?? range.from, from)) return key
      from = key ?? range.from
      await this.#check([{ ...range, from }])
    }
  }

  /** The open handle, after all its entries were compared with the tally. */
  async #sound(): Promise<LevelHandle> {
    if (this.#damage !== undefined) throw this.#damage
    const handle = await (await this.#opened()).handle()
    if (this.#verified?.handle !== handle) {
      this.#verified = { handle, done: verifyEntries(handle, this.#init, false) }
    }
    try {
      await this.#verified.done
    } catch (error) {
      this.#damage = error
      throw error
    }
    return handle
  }

  /** Reads all tables and opens all values. Other reads go on meanwhile. */
  async #compareAll(handle: LevelHandle): Promise<void> {
    const { dir, what } = this.#init
    const checks = this.#checks
    await tableChecks(dir, await listTables(dir), what).all()
    await verifyEntries(handle, this.#init, true)
    if (checks === undefined || this.#checks !== checks) return
    this.#verified = { handle, done: Promise.resolve() }
    await this.#noteChecked()
  }
  async #noteChecked(): Promise<void> {
    this.#checks = undefined
    await rm(join(this.#init.dir, UNCHECKED), { force: true })
  }

  #opened(): Promise<Reopening<LevelHandle>> {
    const begin = async (): Promise<Reopening<LevelHandle>> => {
      try {
        this.#reopening = await reopening({ open: () => this.#openTallied(), close: (handle) => handle.close() })
        return this.#reopening
      } catch (error) {
        this.#opening = undefined
        this.#fault = error
        const known = toDiskError(error, this.#init.what)
        if (isFederationError(known, 'STORAGE_CORRUPT') || isFederationError(known, 'STORE_MISSING'))
          this.#damage = known
        throw error
      }
    }
    this.#opening ??= begin()
    return this.#opening
  }

  /** Opens the directory and reads the tally, the first time and after each failed write. */
  async #openTallied(): Promise<LevelHandle> {
    const { clock, open, dir, what } = this.#init
    const waitMs = this.#failedMs + AGAIN_MS - clock.now()
    if (waitMs > 0 && waitMs <= AGAIN_MS) throw busy(waitMs)
    this.#failedMs = clock.now()
    const checks = tableChecks(dir, await listTables(dir), what)
    this.#checks = undefined
    if (!existsSync(join(dir, UNCHECKED)) && (await areLogsWhole(dir))) {
      await writeFile(join(dir, UNCHECKED), '', { mode: 0o600 })
      this.#checks = checks
    } else {
      await checks.all()
      await rm(join(dir, UNCHECKED), { force: true })
    }
    const handle = await open(dir, { create: false, writeBufferBytes: WRITE_BUFFER_BYTES })
    try {
      await this.#check([toRange(TALLY_KEY)])
      const tally = await readTally(handle, this.#init)
      if (tally.writes < this.#tally.writes) corrupt(`${what}: ${tally.writes} of ${this.#tally.writes} writes`)
      // A write that failed may be on the disk.
      if (tally.writes > this.#tally.writes) this.#init.onWrite?.(tally)
      this.#tally = tally
      this.#failedMs = Number.NEGATIVE_INFINITY
      return handle
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  #toError(error: unknown): unknown {
    const known = toDiskError(error, this.#init.what)
    if (isFederationError(known, 'STORAGE_CORRUPT')) this.#isDamaged = true
    return known
  }
}

function toRange(key: Uint8Array): KeyRange {
  return { from: key, to: key }
}

/** Writes the operations of a group and the tally after them in one batch; returns that tally. */
async function writeGroup(
  handle: LevelHandle,
  seal: DatabaseSeal,
  before: Tally,
  group: readonly Waiting[],
  check: (keys: readonly Uint8Array[]) => Promise<void>,
): Promise<Tally> {
  const written: LevelOperation[] = []
  // The last operation of a key counts, as in LevelDB. A new key comes once.
  const others = new Map<string, Operation>()
  for (const { operations } of group) {
    for (const operation of operations) {
      const { key, body, isNew = false } = operation
      if (isNew && body !== undefined) written.push({ key, value: seal.seal(key, body) })
      else others.set(Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1'), operation)
    }
  }
  const keys = [...others.values()].map(({ key }) => key)
  await check(keys)
  const known = keys.length === 0 ? [] : await handle.getMany(keys)
  let { entries, bytes, sum } = before
  for (const [i, old] of known.entries()) {
    if (old === undefined) continue
    entries--
    bytes -= keys[i]!.length + old.length
    sum ^= entryToSum(keys[i]!, old)
  }
  for (const { key, body } of others.values())
    written.push(body === undefined ? { key } : { key, value: seal.seal(key, body) })
  for (const { key, value } of written) {
    if (value === undefined) continue
    entries++
    bytes += key.length + value.length
    sum ^= entryToSum(key, value)
  }
  const counts = before.counts.map((count, i) => group.reduce((all, { change }) => all + (change[i] ?? 0), count))
  const tally: Tally = { writes: before.writes + 1, entries, bytes, sum: sum >>> 0, counts }
  written.push({ key: TALLY_KEY, value: seal.seal(TALLY_KEY, encodeTally(tally)) })
  await handle.write(written, true)
  return tally
}

function openTally(value: Uint8Array, seal: DatabaseSeal, what: string): Tally {
  return decodeTally(seal.open(TALLY_KEY, value, what) ?? corrupt(what))
}

async function readTally(handle: LevelHandle, { seal, what }: ValueInit): Promise<Tally> {
  const stored = await handle.get(TALLY_KEY)
  return stored === undefined ? corrupt(what) : openTally(stored, seal, what)
}

/** Throws STORAGE_CORRUPT unless the entries are those of the tally. One iterator sees both as they were at one moment. */
async function verifyEntries(handle: LevelHandle, { seal, what }: ValueInit, isThorough: boolean): Promise<void> {
  let [entries, bytes, sum] = [0, 0, 0]
  let tally: Tally | undefined
  for await (const chunk of handle.entries(ALL_KEYS)) {
    for (const [key, value] of chunk) {
      if (key[0] === TALLY_KEY[0]) tally = openTally(value, seal, what)
      else {
        if (isThorough) seal.open(key, value, what)
        entries++
        bytes += key.length + value.length
        sum ^= entryToSum(key, value)
      }
    }
  }
  if (tally === undefined) return corrupt(what)
  if (entries !== tally.entries) corrupt(`${what}: ${entries} of ${tally.entries} entries`)
  if (bytes !== tally.bytes || sum >>> 0 !== tally.sum) corrupt(`${what}: the entries differ from their tally`)
}
