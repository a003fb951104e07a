/**
 * The databases of rows, one a UTC day. PROTOCOL.md §8. A day is listed in `meta` after its database was made and
 * before a row of it is acknowledged, so a listed day that is missing is damage, and an unlisted one holds nothing.
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

/** Proves that a day's database is the one that was made, not one that LevelDB found empty. */
const ROOT_KEY = Uint8Array.of(0)

export interface DayDatabases {
  /** Days that are listed, ascending. */
  days(): number[]
  get(day: number): Database | undefined
  /** The day's database, made and listed when new. */
  ensure(day: number): Promise<Database>
  /** Counts acknowledged rows; returns what has to be written with the acknowledgement. */
  count(day: number, deposits: number, rows: number): Operation
  statistics(): DayStatistics[]
  /** Deletes the rows of a user for good; returns the operations that settle the counts. */
  eraseUser(user: User): Promise<Operation[]>
  /** Unlists and removes days before `day`. */
  dropBefore(day: number): Promise<number>
  close(): Promise<void>
}

/** Opens all listed days. Throws STORE_MISSING, STORAGE_CORRUPT. */
export async function openDays(dir: string, meta: Database): Promise<DayDatabases> {
  const databases = new Map<number, Database>()
  const counts = new Map<number, [deposits: number, rows: number]>()
  const exclusive = oneAtATime()
  let floor = 0
  const path = (day: number): string => join(dir, `day-${day}`)
  const sorted = (): number[] => [...databases.keys()].sort((a, b) => a - b)

  for await (const [key, body] of meta.entries(prefixRange(metaKey('day')))) {
    counts.set(keyNumber(key, 0), decodePair(body))
  }
  for (const name of await readdir(dir)) {
    const day = /^day-(\d+)$/.exec(name)?.[1]
    if (day !== undefined && !counts.has(Number(day))) await rm(path(Number(day)), { recursive: true })
  }
  const close = async (): Promise<void> => {
    for (const database of databases.values()) await database.close()
  }
  try {
    for (const day of counts.keys()) {
      const database = await openDatabase(path(day), `day ${day}`, false)
      databases.set(day, database)
      if ((await database.get(ROOT_KEY)) === undefined) corrupt(`day ${day}`)
    }
  } catch (error) {
    await close()
    throw error
  }

  const make = async (day: number): Promise<Database> => {
    const known = databases.get(day)
    if (known !== undefined) return known
    if (day < floor) throw new RangeError(`"day" expected not before ${floor}, which retention dropped, got ${day}`)
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
        // Deposits that were cut before their acknowledgement were never counted: a count only ever sinks here.
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
    close,
  }
}

/** Throws STORAGE_CORRUPT when a day holds fewer deposits than were acknowledged: LevelDB drops damaged logs silently. */
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
