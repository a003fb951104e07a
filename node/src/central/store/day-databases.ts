/**
 * The databases of rows, one for each UTC day. PROTOCOL.md §8. The store creates a day's database, lists the day in
 * `meta`, and only then acknowledges rows. A listed day without a database is therefore damage, and an unlisted database
 * has no acknowledged rows. Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime, type Random } from '@geotrace/core-wasm'
import { FederationError } from '@geotrace/core-wasm/wire'
import { syncDirectory } from '../../platform/atomic-file.ts'
import { prefixRange } from '../../platform/level-handle.ts'
import type { DayStatistics, User } from './central-store.ts'
import { decodeRows } from './codecs.ts'
import { type Database, type DatabaseInit, lazyDatabase, type Operation, openDatabase } from './database/database.ts'
import { type Seal, valueSeal } from './database/sealed-value.ts'
import { decodeTally, emptyTally, encodeTally, type Tally } from './database/tally.ts'
import { dayToEpochs } from './day.ts'
import { keyNumber, metaKey, rowsPrefix, withMark } from './keys.ts'
import { mergeRows } from './row-set.ts'
import type { StoreKeys } from './store-keys.ts'

export interface DayDatabases {
  /** The listed days, ascending. */
  days(): number[]
  get(day: number): Database | undefined
  /** The day's database; creates and lists a new day. Throws RangeError for a day that retention has dropped. */
  ensure(day: number): Promise<Database>
  statistics(): DayStatistics[]
  /** The operations for `meta` that keep the tallies of these days, as far as they exist. */
  witness(days: Iterable<number>): Operation[]
  /** Deletes all rows of a user from the tables. */
  eraseUser(user: User): Promise<void>
  /** The first day that was not dropped. */
  readonly floor: number
  /** Removes the days before `day`; returns how many there were. */
  dropBefore(day: number): Promise<number>
  close(): Promise<void>
}

type DaysInit = Pick<DatabaseInit, 'open' | 'clock'> & {
  dir: string
  meta: Database
  floor: number
  keys: StoreKeys
  random: Random
}

/** A day's tally counts its rows. */
const COUNTS = 1

/** Finds all listed days. Throws STORE_MISSING. */
export async function openDays(init: DaysInit): Promise<DayDatabases> {
  const { dir, meta } = init
  const databases = await findListed(init, await listedDays(meta))
  const exclusive = oneAtATime()
  let { floor } = init
  const sorted = (): number[] => [...databases.keys()].sort((a, b) => a - b)

  const make = async (day: number): Promise<Database> => {
    const known = databases.get(day)
    if (known !== undefined) return known
    if (day < floor)
      throw new RangeError(`"day" expected ${floor} or later, because retention dropped the days before; got ${day}`)
    await rm(dayToPath(dir, day), { recursive: true, force: true })
    const database = await createDay(init, day, valueSeal(await init.keys.make(day), init.random))
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
    witness: (touched) =>
      [...touched].flatMap((day) => {
        const database = databases.get(day)
        return database === undefined ? [] : [toWitness(day, database)]
      }),
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
        await init.keys.dropBefore(floor)
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
  return { key: metaKey('day', day), body: encodeTally(tally) }
}

/** The listed days, each with a tally that its database had. */
async function listedDays(meta: Database): Promise<Map<number, Tally>> {
  const days = new Map<number, Tally>()
  for await (const [key, body] of meta.entries(prefixRange(metaKey('day')))) {
    days.set(keyNumber(key, 0), decodeTally(body))
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

/** The databases of the listed days that have a key. Removes all others. Throws STORE_MISSING, STORAGE_CORRUPT. */
async function findListed(init: DaysInit, days: ReadonlyMap<number, Tally>): Promise<Map<number, Database>> {
  const { dir, meta, open, clock, keys, random } = init
  for (const day of await daysOnDisk(dir)) if (!days.has(day)) await rm(dayToPath(dir, day), { recursive: true })
  const databases = new Map<number, Database>()
  for (const [day, known] of days) {
    const key = keys.day(day)
    // A restored backup may have days that retention dropped since.
    if (key === undefined) await meta.write([{ key: metaKey('day', day) }])
    if (key === undefined) continue
    const path = dayToPath(dir, day)
    if (!existsSync(join(path, 'CURRENT'))) {
      const text = 'the database of a day is missing; mount the right disk, or restore the last backup'
      throw new FederationError('STORE_MISSING', text, { dir: path })
    }
    databases.set(
      day,
      lazyDatabase({ dir: path, what: `day ${day}`, known, open, clock, seal: valueSeal(key, random) }),
    )
  }
  return databases
}

function createDay({ dir, open, clock }: DaysInit, day: number, seal: Seal): Promise<Database> {
  const known = emptyTally(COUNTS)
  return openDatabase({ dir: dayToPath(dir, day), what: `day ${day}`, create: true, known, open, clock, seal })
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
      operations.push(...withMark(key).map((item) => ({ key: item })))
      lists.push(decodeRows(body))
    }
    if (operations.length === 0) continue
    await database.write(operations, [-mergeRows(...lists).length])
    await database.compact(range)
  }
}
