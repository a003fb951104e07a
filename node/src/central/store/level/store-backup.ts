/**
 * Makes a backup of an open level store, and a store from a backup. node/CENTRAL.md "The store, and backups". A backup is
 * a store directory itself, sealed with the keys of the store, which it does not have. Its marker comes last, so that an unfinished copy is refused with STORE_MISSING. Throws
 * COMMAND_INVALID, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { copyFile, mkdir, open as openFile, readdir } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { byteReader, FederationError, utf8 } from '@geotrace/core-wasm/wire'
import { syncDirectory } from '../../../platform/atomic-file.ts'
import { toDiskError } from '../../../platform/disk-error.ts'
import { ALL_KEYS } from '../../../platform/level-handle.ts'
import { blobToGroups, blobToUser } from '../arrival.ts'
import type { EpochRows, User } from '../central-store.ts'
import { countRows } from '../row-groups.ts'
import type { StoreKeys } from '../store-keys.ts'
import { type Database, type DatabaseInit, type Operation, openDatabase } from './database.ts'
import { type DayDatabases, toListing } from './day-databases.ts'
import { isBlob, isEntry, keyNumber, metaKey } from './keys.ts'
import { assertMarked, copyMarker, MARKER } from './store-directory.ts'
import { decodeTally, emptyTally, TALLY_KEY, type Tally } from './tally.ts'
import type { StoreSeals } from './user-seal.ts'
import type { UserSecrets } from './user-secrets.ts'

/** Entries in one write of a copy. */
const CHUNK = 1_000

interface BackupInit extends Pick<DatabaseInit, 'open' | 'clock'> {
  /** The directory of the open store. */
  dir: string
  meta: Database
  days: DayDatabases
  /** A directory that is missing or empty. */
  to: string
  keys: StoreKeys
  seals: StoreSeals
  secrets: UserSecrets
}

/**
 * Copies `meta` as it is at one moment, then the days, the newest first. Rows of an earlier day are durable before the
 * acknowledgement of their sync, so the copy has all rows that it acknowledges. It has nothing of users who came later,
 * because it will give their numbers to others.
 */
export async function backUpStore(init: BackupInit): Promise<void> {
  const { dir, meta, days, to, open, clock, keys, seals, secrets } = init
  await makeEmptyDir(to)
  const shared = { open, clock, seal: seals.meta(keys.meta) }
  await copyDatabase(meta, { ...shared, dir: join(to, 'meta'), what: 'meta' })
  // Writes that came after the moment of the copy are not missing in it.
  const known = emptyTally(meta.tally.counts.length)
  const copy = await openDatabase({ ...shared, dir: join(to, 'meta'), what: 'meta', create: false, known })
  try {
    const counter = await copy.get(metaKey('counter', utf8('user')))
    const users = counter === undefined ? 1 : byteReader(counter).u32()
    await secrets.copy(to, users)
    const listed: number[] = []
    for await (const key of copy.keys({ from: metaKey('day'), to: metaKey('day', 0xffffffff) }))
      listed.push(keyNumber(key, 0))
    for (const day of listed.reverse()) {
      const database = days.get(day)?.database
      const secret = keys.day(day)
      if (database === undefined || secret === undefined) {
        throw new FederationError('BUSY', 'retention dropped a day meanwhile: back up again', { retryAfterMs: 1_000 })
      }
      const seal = seals.day(secret)
      const tally = await copyDatabase(
        database,
        { ...shared, seal, dir: join(to, `day-${day}`), what: `day ${day}` },
        users,
      )
      await copy.write([toListing(day, tally)])
    }
  } finally {
    await copy.close()
  }
  await copyMarker(dir, to, 'ready')
}

/** Copies all entries and the tally, which is returned; with `users` only the blobs of users with smaller numbers. */
async function copyDatabase(
  from: Database,
  target: Pick<DatabaseInit, 'dir' | 'what' | 'open' | 'clock' | 'seal'>,
  users = Number.POSITIVE_INFINITY,
): Promise<Tally> {
  const known: Tally = { ...from.tally, entries: 0, bytes: 0, sum: 0, counts: from.tally.counts.map(() => 0) }
  const to = await openDatabase({ ...target, create: true, known })
  try {
    let chunk: Operation[] = []
    const skipped = new Map<User, EpochRows[]>()
    for await (const [key, body] of from.entries(ALL_KEYS)) {
      if (key[0] === TALLY_KEY[0]) {
        // The tally of the same moment as the entries. It comes last.
        const [rows = 0, ...counts] = decodeTally(body).counts
        const left = [...skipped.values()].reduce((sum, groups) => sum - countRows(groups), rows)
        await to.write(chunk, [left, ...counts])
        break
      }
      if (isEntry(key) && keyNumber(key, 0) >= users) continue
      const user = isBlob(key) ? blobToUser(body) : 0
      if (user >= users) {
        // A copy, because the body may be a part of a larger buffer.
        skipped.set(user, [...(skipped.get(user) ?? []), ...blobToGroups(body.slice())])
        continue
      }
      chunk.push({ key, body })
      if (chunk.length < CHUNK) continue
      await to.write(chunk)
      chunk = []
    }
    return to.tally
  } finally {
    await to.close()
  }
}

/** Makes the store in `dir` from a backup. Its next opening erases the users again who were erased since. */
export async function restoreStore(backup: string, dir: string): Promise<void> {
  try {
    // Before anything is made or copied: the folder may be any other.
    await assertMarked(backup)
    const items = await readdir(backup, { recursive: true, withFileTypes: true })
    await makeEmptyDir(dir)
    for (const item of items) {
      const path = join(item.parentPath, item.name)
      if (!item.isFile() || item.name === MARKER) continue
      const copy = join(dir, relative(backup, path))
      await mkdir(dirname(copy), { recursive: true, mode: 0o700 })
      await copyFile(path, copy)
      const file = await openFile(copy, 'r+')
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await syncDirectory(dirname(copy))
    }
    await copyMarker(backup, dir, 'restored')
  } catch (error) {
    throw toDiskError(error, dir)
  }
}

async function makeEmptyDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  if ((await readdir(dir)).length === 0) return
  const reason = `${dir} is not empty, and nothing in it is overwritten; name another directory, or move its content aside`
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
