/**
 * The databases of rows, one for each UTC day. PROTOCOL.md §8. The store creates a day's database, lists the day in
 * `meta`, and only then acknowledges rows. A listed day without a database is therefore damage, and an unlisted database
 * has no acknowledged rows. Throws STORE_MISSING, STORAGE_CORRUPT.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime } from '@geotrace/core-wasm'
import { utf8 } from '@geotrace/core-wasm/wire'
import { syncDirectory } from '../../platform/atomic-file.ts'
import type { DayStatistics, User } from './central-store.ts'
import { corrupt } from './checksummed-value.ts'
import { decodePair, decodeRows, encodePair } from './codecs.ts'
import { type Database, type Operation, openDatabase, prefixRange } from './database.ts'
import { dayToEpochs } from './day.ts'
import { keyNumber, metaKey, rowsPrefix } from './keys.ts'

/** The first entry of a day's database. A database without it was opened empty by LevelDB after damage. */
const ROOT_KEY = Uint8Array.of(0)

export interface DayDatabases {
  /** The listed days, ascending. */
  days(): number[]
  get(day: number): Database | undefined
  /** The day's database; creates and lists a new day. Throws RangeError for a day that retention has dropped. */
  ensure(day: number): Promise<Database>
  /** Counts acknowledged rows. Returns the operation that the caller must write with the acknowledgement. */
  count(day: number, deposits: number, rows: number): Operation
  statistics(): DayStatistics[]
  /** Deletes all rows of a user from the tables. Returns the operations that correct the counts. */
  eraseUser(user: User): Promise<Operation[]>
  /** Removes the days before `day`; returns how many there were. */
  dropBefore(day: number): Promise<number>
  close(): Promise<void>
}

/** Opens all listed days. Throws STORE_MISSING, STORAGE_CORRUPT. */
export async function openDays(dir: string, meta: Database): Promise<DayDatabases> {
  const counts = await readCounts(meta)
  const databases = await openListed(dir, [...counts.keys()])
  const exclusive = oneAtATime()
  let floor = 0
  const path = (day: number): string => dayToPath(dir, day)
  const sorted = (): number[] => [...databases.keys()].sort((a, b) => a - b)

  const make = async (day: number): Promise<Database> => {
    const known = databases.get(day)
    if (known !== undefined) return known
    if (day < floor)
      throw new RangeError(`"day" expected ${floor} or later, because retention dropped the days before; got ${day}`)
    await rm(path(day), { recursive: true, force: true })
    const database = await openDatabase(path(day), `day ${day}`, true)
    await database.write([{ key: ROOT_KEY, body: utf8(`geotrace day ${day}`) }])
    await syncDirectory(dir)
    await meta.write([{ key: metaKey('day', day), body: encodePair(0, 0) }])
    counts.set(day, [0, 0])
    databases.set(day, database)
    return database
  }

  return {
    days: sorted,
    get: (day) => databases.get(day),
    ensure: async (day) => databases.get(day) ?? (await exclusive(() => make(day))),
    count: (day, deposits, rows) => {
      const known = counts.get(day) ?? [0, 0]
      known[0] += deposits
      known[1] += rows
      return { key: metaKey('day', day), body: encodePair(...known) }
    },
    statistics: () => sorted().map((day) => ({ day, deposits: counts.get(day)![0], rows: counts.get(day)![1] })),
    eraseUser: async (user) => {
      const operations: Operation[] = []
      for (const [day, database] of databases) {
        if (!(await eraseRows(database, day, user))) continue
        const left = await countRows(database)
        const known = counts.get(day)!
        // Interrupted deposits have rows but were never counted, so the count must not rise here.
        known[0] = Math.min(known[0], left.deposits)
        known[1] = Math.min(known[1], left.rows)
        operations.push({ key: metaKey('day', day), body: encodePair(...known) })
      }
      return operations
    },
    dropBefore: (day) =>
      exclusive(async () => {
        floor = Math.max(floor, day)
        const gone = sorted().filter((item) => item < day)
        if (gone.length === 0) return 0
        await meta.write(gone.map((item) => ({ key: metaKey('day', item) })))
        for (const item of gone) {
          await databases.get(item)!.close()
          databases.delete(item)
          counts.delete(item)
          await rm(path(item), { recursive: true })
        }
        await syncDirectory(dir)
        return gone.length
      }),
    close: () => closeAll(databases),
  }
}

type Counts = Map<number, [deposits: number, rows: number]>

/** The counts of all listed days. */
async function readCounts(meta: Database): Promise<Counts> {
  const counts: Counts = new Map()
  for await (const [key, body] of meta.entries(prefixRange(metaKey('day')))) {
    counts.set(keyNumber(key, 0), decodePair(body))
  }
  return counts
}

/** Opens the databases of the listed days and removes all others. */
async function openListed(dir: string, days: readonly number[]): Promise<Map<number, Database>> {
  for (const name of await readdir(dir)) {
    const day = /^day-(\d+)$/.exec(name)?.[1]
    if (day !== undefined && !days.includes(Number(day))) await rm(dayToPath(dir, Number(day)), { recursive: true })
  }
  const databases = new Map<number, Database>()
  try {
    for (const day of days) {
      const database = await openDatabase(dayToPath(dir, day), `day ${day}`, false)
      databases.set(day, database)
      if ((await database.get(ROOT_KEY)) === undefined) corrupt(`day ${day}`)
    }
    return databases
  } catch (error) {
    await closeAll(databases)
    throw error
  }
}

async function closeAll(databases: ReadonlyMap<number, Database>): Promise<void> {
  for (const database of databases.values()) await database.close()
}

function dayToPath(dir: string, day: number): string {
  return join(dir, `day-${day}`)
}

/** Throws STORAGE_CORRUPT for a day with fewer deposits than acknowledged, because LevelDB drops damaged logs silently. */
export async function assertCounts(days: DayDatabases): Promise<void> {
  for (const { day, deposits } of days.statistics()) {
    let found = 0
    for await (const _ of days.get(day)!.keys(prefixRange(rowsPrefix()))) found++
    if (found < deposits) corrupt(`day ${day}: ${found} of ${deposits} deposits`)
  }
}

async function eraseRows(database: Database, day: number, user: User): Promise<boolean> {
  let erased = false
  for (const epoch of dayToEpochs(day)) {
    const range = prefixRange(rowsPrefix(epoch, user))
    const operations: Operation[] = []
    for await (const key of database.keys(range)) operations.push({ key })
    if (operations.length > 0) {
      await database.write(operations)
      await database.compact(range)
      erased = true
    }
  }
  return erased
}

async function countRows(database: Database): Promise<{ deposits: number; rows: number }> {
  const sum = { deposits: 0, rows: 0 }
  for await (const [, body] of database.entries(prefixRange(rowsPrefix()))) {
    sum.deposits++
    sum.rows += decodeRows(body).length
  }
  return sum
}
