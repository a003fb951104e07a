/**
 * The databases of rows, one for each UTC day. PROTOCOL.md §8. The store creates a day's database, lists the day in
 * `meta`, and only then acknowledges rows. A listed day without a database is therefore damage, and an unlisted database
 * has no acknowledged rows. Throws STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { oneAtATime } from '@geotrace/core-wasm'
import { FederationError } from '@geotrace/core-wasm/wire'
import { syncDirectory } from '../../../platform/atomic-file.ts'
import { ALL_KEYS, prefixRange } from '../../../platform/level-handle.ts'
import type { DayStatistics, User } from '../central-store.ts'
import type { StoreKeys } from '../store-keys.ts'
import { type Database, type DatabaseInit, lazyDatabase, openDatabase } from './database.ts'
import { DAY_COUNTS, type DayMemory, DayRows, dayMemory } from './day-rows.ts'
import { keyNumber, metaKey } from './keys.ts'
import { decodeTally, emptyTally, encodeTally, type Tally } from './tally.ts'
import type { StoreSeals } from './user-seal.ts'
import type { Witness } from './witness.ts'

export interface DayDatabases {
  /** The listed days, ascending. */
  days(): number[]
  get(day: number): DayRows | undefined
  /** The day; creates and lists a new day. Throws RangeError for a day that retention has dropped. */
  ensure(day: number): Promise<DayRows>
  /** Opens first the days of which no tally is known, after the loss of the witness. Throws STORAGE_CORRUPT. */
  statistics(): Promise<DayStatistics[]>
  databases(): Database[]
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
  seals: StoreSeals
  witness: Witness
}

/** Finds all listed days. Throws STORE_MISSING. */
export async function openDays(init: DaysInit): Promise<DayDatabases> {
  const { dir, meta, witness } = init
  const memory = dayMemory()
  const days = await findListed(init, memory, await listedDays(meta))
  const exclusive = oneAtATime()
  let { floor } = init
  const sorted = (): number[] => [...days.keys()].sort((a, b) => a - b)
  /** A day on which syncs arrived may have had no rows. */
  const withRows = (): number[] =>
    sorted().filter((day) =>
      days
        .get(day)!
        .database.tally.counts.slice(1)
        .some((blobs) => blobs > 0),
    )
  const databases = (): Database[] => sorted().map((day) => days.get(day)!.database)

  const make = async (day: number): Promise<DayRows> => {
    const known = days.get(day)
    if (known !== undefined) return known
    if (day < floor)
      throw new RangeError(`"day" expected ${floor} or later, because retention dropped the days before; got ${day}`)
    await rm(dayToPath(dir, day), { recursive: true, force: true })
    const database = await openDatabase({ ...toInit(init, day, await init.keys.make(day)), create: true })
    try {
      await syncDirectory(dir)
      await meta.write([toListing(day, database.tally)])
    } catch (error) {
      await database.close()
      throw error
    }
    const rows = new DayRows(day, database, memory)
    days.set(day, rows)
    return rows
  }

  return {
    days: sorted,
    get: (day) => days.get(day),
    ensure: async (day) => days.get(day) ?? (await exclusive(() => make(day))),
    databases,
    statistics: async () => {
      await openUnknown(databases())
      return withRows().map((day) => ({ day, rows: days.get(day)!.database.tally.counts[0]! }))
    },
    eraseUser: async (user) => {
      for (const rows of [...days.values()]) await rows.erase(user)
    },
    get floor() {
      return floor
    },
    dropBefore: (day) =>
      exclusive(async () => {
        floor = Math.max(floor, day)
        const gone = sorted().filter((item) => item < floor)
        const count = withRows().filter((item) => item < floor).length
        if (gone.length > 0) await meta.write(gone.map((item) => ({ key: metaKey('day', item) })))
        for (const item of gone) {
          await days.get(item)!.database.close()
          days.delete(item)
          witness.forget(toName(item))
        }
        await init.keys.dropBefore(floor)
        await removeBefore(dir, floor)
        return count
      }),
    close: () => closeAll(databases()),
  }
}

async function closeAll(databases: readonly Database[]): Promise<void> {
  for (const database of databases) await database.close()
}

/** Opens the databases of which no tally is known. */
async function openUnknown(databases: readonly Database[]): Promise<void> {
  for (const database of databases) if (database.tally.writes === 0) await database.last(ALL_KEYS)
}

/** The entry of `meta` that lists a day, with a tally that its database had. */
export function toListing(day: number, tally: Tally): { key: Uint8Array; body: Uint8Array } {
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

/** Also removes directories that an earlier sweep could not remove. */
async function removeBefore(dir: string, floor: number): Promise<void> {
  for (const item of await daysOnDisk(dir)) if (item < floor) await rm(dayToPath(dir, item), { recursive: true })
}

async function daysOnDisk(dir: string): Promise<number[]> {
  const names = await readdir(dir)
  return names.flatMap((name) => {
    const day = /^day-(\d+)$/.exec(name)?.[1]
    return day === undefined ? [] : [Number(day)]
  })
}

/** The listed days that have a key. Removes all others. Throws STORE_MISSING, STORAGE_CORRUPT. */
async function findListed(
  init: DaysInit,
  memory: DayMemory,
  listed: ReadonlyMap<number, Tally>,
): Promise<Map<number, DayRows>> {
  const { dir, meta, keys } = init
  for (const day of await daysOnDisk(dir)) if (!listed.has(day)) await rm(dayToPath(dir, day), { recursive: true })
  const days = new Map<number, DayRows>()
  for (const [day, known] of listed) {
    const key = keys.day(day)
    // A restored backup may have days that retention dropped since.
    if (key === undefined) await meta.write([{ key: metaKey('day', day) }])
    if (key === undefined) continue
    const path = dayToPath(dir, day)
    if (!existsSync(join(path, 'CURRENT'))) {
      const text = 'the database of a day is missing; mount the right disk, or restore the last backup'
      throw new FederationError('STORE_MISSING', text, { dir: path })
    }
    days.set(day, new DayRows(day, lazyDatabase(toInit(init, day, key, known)), memory))
  }
  return days
}

function toInit(
  { dir, open, clock, seals, witness }: DaysInit,
  day: number,
  key: Uint8Array,
  listed = emptyTally(DAY_COUNTS),
): Omit<DatabaseInit, 'create'> {
  const name = toName(day)
  const noted = witness.known(name)
  return {
    dir: dayToPath(dir, day),
    what: name,
    known: noted !== undefined && noted.writes > listed.writes ? noted : listed,
    open,
    clock,
    seal: seals.day(key),
    onWrite: (tally) => witness.note(name, tally),
  }
}

function toName(day: number): string {
  return `day ${day}`
}

function dayToPath(dir: string, day: number): string {
  return join(dir, `day-${day}`)
}
