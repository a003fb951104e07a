/**
 * The databases of rows, one for each UTC day. PROTOCOL.md §8. The store creates a day's database, lists the day in
 * `meta`, and only then acknowledges rows. A listed day without a database is therefore damage, and an unlisted database
 * has no acknowledged rows. Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime } from '@geotrace/core-wasm'
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'
import { syncDirectory } from '../../platform/atomic-file.ts'
import { prefixRange } from '../../platform/level-handle.ts'
import type { DayStatistics, User } from './central-store.ts'
import { decodeRows } from './codecs.ts'
import { type Database, type DatabaseInit, type Operation, openDatabase } from './database.ts'
import { dayToEpochs } from './day.ts'
import { keyNumber, metaKey, rowsPrefix } from './keys.ts'
import { mergeRows } from './row-set.ts'

export interface DayDatabases {
  /** The listed days, ascending. */
  days(): number[]
  get(day: number): Database | undefined
  /** The day's database; creates and lists a new day. Throws RangeError for a day that retention has dropped. */
  ensure(day: number): Promise<Database>
  statistics(): DayStatistics[]
  /** The operation for `meta` that keeps how many writes these days have. */
  witness(days: Iterable<number>): Operation[]
  /** Deletes all rows of a user from the tables. */
  eraseUser(user: User): Promise<void>
  /** The first day that was not dropped. */
  readonly floor: number
  /** Removes the days before `day`; returns how many there were. */
  dropBefore(day: number): Promise<number>
  close(): Promise<void>
}

type DaysInit = Pick<DatabaseInit, 'open' | 'clock'> & { dir: string; meta: Database; floor: number }

/** A day's tally counts its rows. */
const COUNTS = 1

/** Opens all listed days. Throws STORE_MISSING, STORAGE_CORRUPT. */
export async function openDays(init: DaysInit): Promise<DayDatabases> {
  const { dir, meta } = init
  const databases = await openListed(init, await listedDays(meta))
  const exclusive = oneAtATime()
  let { floor } = init
  const sorted = (): number[] => [...databases.keys()].sort((a, b) => a - b)

  const make = async (day: number): Promise<Database> => {
    const known = databases.get(day)
    if (known !== undefined) return known
    if (day < floor)
      throw new RangeError(`"day" expected ${floor} or later, because retention dropped the days before; got ${day}`)
    await rm(dayToPath(dir, day), { recursive: true, force: true })
    const database = await openDay(init, day, undefined)
    try {
      await syncDirectory(dir)
      await meta.write([toWitness(day, database)])
    } catch (error) {
      await database.close()
      throw error
    }
    databases.set(day, database)
    return database
  }

  return {
    days: sorted,
    get: (day) => databases.get(day),
    ensure: async (day) => databases.get(day) ?? (await exclusive(() => make(day))),
    statistics: () => sorted().map((day) => ({ day, rows: databases.get(day)!.tally.counts[0]! })),
    witness: (touched) => [...touched].map((day) => toWitness(day, databases.get(day)!)),
    eraseUser: async (user) => {
      for (const [day, database] of databases) await eraseRows(database, day, user)
    },
    get floor() {
      return floor
    },
    dropBefore: (day) =>
      exclusive(async () => {
        floor = Math.max(floor, day)
        const gone = sorted().filter((item) => item < floor)
        if (gone.length > 0) await meta.write(gone.map((item) => ({ key: metaKey('day', item) })))
        for (const item of gone) {
          await databases.get(item)!.close()
          databases.delete(item)
        }
        // Also the directories that an earlier sweep could not remove.
        for (const item of await daysOnDisk(dir)) {
          if (item < floor) await rm(dayToPath(dir, item), { recursive: true })
        }
        return gone.length
      }),
    close: () => closeAll(databases),
  }
}

function toWitness(day: number, { tally }: Database): Operation {
  return { key: metaKey('day', day), body: byteWriter(8).time(tally.writes).finish() }
}

/** The listed days, each with the writes that its database must have. */
async function listedDays(meta: Database): Promise<Map<number, number>> {
  const days = new Map<number, number>()
  for await (const [key, body] of meta.entries(prefixRange(metaKey('day')))) {
    days.set(keyNumber(key, 0), byteReader(body).time())
  }
  return days
}

async function daysOnDisk(dir: string): Promise<number[]> {
  const names = await readdir(dir)
  return names.flatMap((name) => {
    const day = /^day-(\d+)$/.exec(name)?.[1]
    return day === undefined ? [] : [Number(day)]
  })
}

/** Opens the databases of the listed days and removes all others. */
async function openListed(init: DaysInit, days: ReadonlyMap<number, number>): Promise<Map<number, Database>> {
  for (const day of await daysOnDisk(init.dir)) {
    if (!days.has(day)) await rm(dayToPath(init.dir, day), { recursive: true })
  }
  const databases = new Map<number, Database>()
  try {
    for (const [day, atLeast] of days) databases.set(day, await openDay(init, day, atLeast))
    return databases
  } catch (error) {
    await closeAll(databases)
    throw error
  }
}

/** Opens a day that must have `atLeast` writes, or creates a new day. */
function openDay({ dir, open, clock }: DaysInit, day: number, atLeast: number | undefined): Promise<Database> {
  return openDatabase({
    dir: dayToPath(dir, day),
    what: `day ${day}`,
    create: atLeast === undefined,
    atLeast: atLeast ?? 0,
    open,
    clock,
    counts: COUNTS,
    isWhole: false,
  })
}

async function closeAll(databases: ReadonlyMap<number, Database>): Promise<void> {
  for (const database of databases.values()) await database.close()
}

function dayToPath(dir: string, day: number): string {
  return join(dir, `day-${day}`)
}

/** Deletes a user's rows epoch by epoch. The counts change by what each write takes, so other writes may run meanwhile. */
async function eraseRows(database: Database, day: number, user: User): Promise<void> {
  for (const epoch of dayToEpochs(day)) {
    const range = prefixRange(rowsPrefix(epoch, user))
    const operations: Operation[] = []
    const lists = []
    for await (const [key, body] of database.entries(range)) {
      operations.push({ key })
      lists.push(decodeRows(body))
    }
    if (operations.length === 0) continue
    await database.write(operations, [-mergeRows(...lists).length])
    await database.compact(range)
  }
}
