/**
 * The central store on LevelDB. PROTOCOL.md §8. The store writes and syncs rows before their acknowledgement.
 * Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY, SYNC_CONFLICT.
 */
import { join } from 'node:path'
import { type Clock, oneAtATime, type Random, type Turns, turns } from '@geotrace/core-wasm'
import {
  byteReader,
  bytesToHex,
  byteWriter,
  equalBytes,
  isFederationError,
  type Pin,
  utf8,
} from '@geotrace/core-wasm/wire'
import { type OpenLevel, openLevel, prefixRange } from '../../../platform/level-handle.ts'
import type {
  CentralStore,
  CodeRecord,
  Condition,
  Deposit,
  EnrolmentRecord,
  MarkChange,
  ReportProgress,
  ReportRecord,
  StoreCondition,
  User,
} from '../central-store.ts'
import {
  decodeJson,
  decodeMarkList,
  decodeMarks,
  decodeSync,
  decodeUser,
  encodeJson,
  encodeMarkList,
  encodeMarks,
  encodeUser,
} from '../codecs.ts'
import { type ErasedUsers, erasedUsers } from '../erased-users.ts'
import { corrupt } from '../sealed-value.ts'
import { openStoreKeys, toUserKey } from '../store-keys.ts'
import type { StoreSource } from '../store-source.ts'
import { type Database, type Operation, openDatabase } from './database.ts'
import { type DayDatabases, openDays } from './day-databases.ts'
import { keyNumber, metaKey, NO_BODY } from './keys.ts'
import { levelDeposits, type OpenCodes, openCodes, readReporters } from './level-deposits.ts'
import { levelLeases } from './level-leases.ts'
import { dropMetaBefore, personOperations, readFloor } from './level-retention.ts'
import { type LevelSlips, levelSlips } from './level-slips.ts'
import { levelSource } from './level-source.ts'
import { backUpStore } from './store-backup.ts'
import { copyMarker, type Founding, openStoreDirectory } from './store-directory.ts'
import { emptyTally, type Tally } from './tally.ts'
import { storeSeals } from './user-seal.ts'
import { openUserSecrets, SECRETS, type UserSecrets } from './user-secrets.ts'
import { openWitness } from './witness.ts'

/** `meta` counts its users. */
const COUNTS = 1

/** The worst first. */
const CONDITIONS: readonly Condition[] = ['damaged', 'failed', 'full']

interface LevelStoreInit {
  dir: string
  /** The file of the store's keys; default: `dir` with the ending `.keys`. */
  keyPath?: string
  random: Random
  clock: Clock
  /** Default: `if-missing`. */
  founding?: Founding
  /** The file that lists erased users; undefined: none is kept. */
  erasedPath?: string
  /** Opens a database; default: LevelDB. */
  open?: OpenLevel
}

interface LevelStore extends CentralStore {
  /** All that the store has, for a copy into another one. */
  source(): StoreSource
}

/**
 * Opens the store in `dir`, and founds it when `founding` says so. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT,
 * STORAGE_FULL, BUSY, COMMAND_INVALID.
 */
export async function levelStore(storeInit: LevelStoreInit): Promise<LevelStore> {
  const { dir, random, clock, founding = 'if-missing', erasedPath, open = openLevel } = storeInit
  const keyPath = storeInit.keyPath ?? `${dir}.keys`
  const init = { dir: join(dir, 'meta'), what: 'meta', open, clock, known: emptyTally(COUNTS) }
  const found = async (): Promise<void> => {
    const made = await openStoreKeys(keyPath, random, true)
    const secrets = await openUserSecrets(dir, random, true)
    await (await openDatabase({ ...init, seal: storeSeals(random, secrets).meta(made.meta), create: true })).close()
  }
  const isRestored = await openStoreDirectory({ dir, founding, found })
  const keys = await openStoreKeys(keyPath, random, false)
  const secrets = await openUserSecrets(dir, random, false)
  const seals = storeSeals(random, secrets)
  const seal = seals.meta(keys.meta)
  const erased = erasedPath === undefined ? undefined : erasedUsers(erasedPath)
  const witness = await openWitness(dir, clock)
  const known = witness.known('meta') ?? init.known
  const onWrite = (tally: Tally): void => witness.note('meta', tally)
  const closings = [() => witness.close()]
  const close = async (): Promise<void> => {
    for (const closing of closings.reverse()) await closing()
  }
  try {
    const meta = await openDatabase({ ...init, seal, create: false, known, onWrite })
    closings.push(() => meta.close())
    const next = await readCounters(meta)
    if (secrets.end < next.user) corrupt(SECRETS)
    const days = await openDays({ dir, meta, open, clock, floor: await readFloor(meta), keys, seals, witness })
    closings.push(() => days.close())
    await finishErasures({ meta, days, secrets })
    const slips = levelSlips(meta)
    if (isRestored) await eraseAgain({ meta, days, slips, secrets }, (await erased?.list()) ?? [])
    if (isRestored) await copyMarker(dir, dir, 'ready')
    const userKey = (id: Uint8Array): Uint8Array => toUserKey(keys.users, id)
    const parts: Parts = {
      meta,
      days,
      slips,
      secrets,
      userKey,
      erased,
      next,
      perUser: turns<User>(1),
      codes: openCodes(meta),
    }
    const deposits = levelDeposits({
      ...parts,
      reporters: await readReporters(meta),
      toRecords: (deposit) => depositRecords(parts.next, deposit),
    })
    const writes = { ...marks(parts), ...records(parts), closeEpoch: deposits.closeEpoch, dropBefore: dropping(parts) }
    return {
      capabilities: { writers: 1, hasBackup: true },
      ...users(parts),
      ...deposits,
      ...writes,
      ...levelLeases(meta, writes),
      floor: () => days.floor,
      statistics: async () => statistics(parts),
      verify: () => verify(meta, days),
      backUp: (to) => backUpStore({ dir, meta, days, to, open, clock, keys, seals, secrets }),
      source: () => levelSource({ meta, days, userSecret: keys.users, erased }),
      condition: () => toCondition([meta, ...days.databases()]),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

interface Counters {
  user: User
  report: number
}

interface Parts {
  meta: Database
  days: DayDatabases
  slips: LevelSlips
  secrets: UserSecrets
  /** Keys carry a keyed hash of the id, because LevelDB keeps some keys after their deletion (measured). */
  userKey(id: Uint8Array): Uint8Array
  erased: ErasedUsers | undefined
  next: Counters
  perUser: Turns<User>
  codes: OpenCodes
}

function dropping({ meta, days, erased }: Parts): CentralStore['dropBefore'] {
  return async (day) => {
    const gone = await days.dropBefore(day)
    await dropMetaBefore(meta, day)
    await erased?.dropBefore(day)
    return gone
  }
}

function users({ meta, days, slips, secrets, userKey, erased, next, perUser }: Parts) {
  const exclusive = oneAtATime()
  const findUser = async (id: Uint8Array): Promise<User | undefined> => {
    const body = await meta.get(metaKey('user', userKey(id)))
    return body === undefined ? undefined : byteReader(body).u32()
  }
  return {
    findUser,
    addUser: (id, generation, day) =>
      exclusive(async () => {
        const known = await findUser(id)
        if (known !== undefined) return known
        const user = next.user++
        await secrets.make(user)
        const key = metaKey('user', userKey(id))
        await meta.write(
          [
            { key, body: byteWriter(4).u32(user).finish() },
            { key: metaKey('person', user), body: encodeUser({ since: day, seen: day, key }) },
            { key: metaKey('seen', day, user), body: NO_BODY },
            { key: metaKey('list', user), body: encodeMarkList({ generation, last: 0, entries: [] }) },
            counter('user', next.user),
          ],
          [1],
        )
        return user
      }),
    eraseUser: (id, day) =>
      exclusive(async () => {
        // An erasure whose later writes failed has no mapping any more, so its repetition finds no user.
        await finishErasures({ meta, days, secrets })
        const user = await findUser(id)
        if (user === undefined) return false
        await erased?.note(userKey(id), day)
        await perUser.run(user, async () => {
          await deleteUser({ meta, slips }, user)
          await finishErasures({ meta, days, secrets })
          await meta.compact(prefixRange(metaKey('user', userKey(id))))
        })
        return true
      }),
  } satisfies Partial<CentralStore>
}

function marks({ meta, perUser }: Parts) {
  const putMarks = (change: MarkChange): Promise<void> =>
    perUser.run(change.user, async () => {
      if ((await meta.get(metaKey('list', change.user))) === undefined) return
      await meta.write(markOperations(change))
    })
  return {
    marks: async (user) => {
      const body = await meta.get(metaKey('list', user))
      return body === undefined ? undefined : decodeMarkList(body)
    },
    userMarks: async (user, report) => {
      const items = []
      const prefix = report === undefined ? metaKey('marks', user) : metaKey('marks', user, report)
      for await (const [key, body] of meta.entries(prefixRange(prefix))) {
        items.push({ report: keyNumber(key, 1), marks: decodeMarks(body) })
      }
      return items
    },
    markedUsers: async (report) => {
      const users: User[] = []
      for await (const key of meta.keys(prefixRange(metaKey('marksByReport', report)))) users.push(keyNumber(key, 1))
      return users
    },
    putMarks: async (changes) => {
      const writes = await Promise.allSettled(changes.map(putMarks))
      for (const write of writes) if (write.status === 'rejected') throw write.reason
    },
  } satisfies Partial<CentralStore>
}

function records({ meta, slips, next, codes }: Parts) {
  const { slipPeriods, takeSlips, batchOf, closePeriod, dropPeriod } = slips
  const perEpoch = turns<number>(1)
  const perEnrolment = turns<string>(1)
  const findEnrolment = async (name: Uint8Array): Promise<EnrolmentRecord | undefined> => {
    const body = await meta.get(metaKey('enrolment', name))
    return body && decodeJson<EnrolmentRecord>(body)
  }
  const all = async <T>(kind: 'report' | 'progress' | 'pin', decode: (body: Uint8Array) => T): Promise<T[]> => {
    const items: T[] = []
    for await (const [, body] of meta.entries(prefixRange(metaKey(kind)))) items.push(decode(body))
    return items
  }
  return {
    ...{ slipPeriods, takeSlips, batchOf, closePeriod, dropPeriod },
    nextReport: async () => next.report++,
    reports: () => all('report', decodeJson<ReportRecord>),
    progress: () => all('progress', decodeJson<ReportProgress>),
    putProgress: (item) => meta.write([{ key: metaKey('progress', item.report), body: encodeJson(item) }]),
    putReport: (report) => meta.write([reportOperation(report), counter('report', next.report)]),
    findCode: async (hash) => {
      const body = await meta.get(metaKey('code', hash))
      return body === undefined ? undefined : decodeJson(body)
    },
    putCodes: (items) => meta.write(items.map(codeOperation)),
    closeCode: (code) => codes.close(code, () => meta.write([codeOperation(code)])),
    codes: async function* () {
      for await (const [, body] of meta.entries(prefixRange(metaKey('code')))) yield decodeJson<CodeRecord>(body)
    },
    findEnrolment,
    putEnrolment: (name, record, before) =>
      perEnrolment.run(bytesToHex(name), async () => {
        const known = await findEnrolment(name)
        if (!equalBytes(known?.bytes ?? NO_BODY, before ?? NO_BODY)) return false
        await meta.write([{ key: metaKey('enrolment', name), body: encodeJson(record) }])
        return true
      }),
    putRecord: (name, value) => meta.write([{ key: metaKey('record', utf8(name)), body: value }]),
    pins: () => all('pin', decodeJson<Pin>),
    putPin: (pin) =>
      perEpoch.run(pin.epoch, async () => {
        const key = metaKey('pin', pin.epoch)
        const known = await meta.get(key)
        if (known !== undefined) return decodeJson<Pin>(known)
        await meta.write([{ key, body: encodeJson(pin) }])
        return pin
      }),
  } satisfies Partial<CentralStore>
}

async function verify(meta: Database, days: DayDatabases): Promise<void> {
  for (const database of [meta, ...days.databases()]) {
    try {
      await database.verify()
    } catch (error) {
      if (!isFederationError(error, 'STORAGE_CORRUPT')) throw error
    }
  }
}

/** The worst condition of the databases, with the names of those that have one. */
function toCondition(databases: readonly Database[]): StoreCondition {
  const worst = CONDITIONS.find((condition) => databases.some((item) => item.condition === condition)) ?? 'sound'
  return { condition: worst, parts: databases.filter((item) => item.condition !== 'sound').map(({ what }) => what) }
}

async function statistics({ meta, days }: Parts) {
  const statistics = await days.statistics()
  const tallies = [meta, ...days.databases()].map(({ tally }) => tally)
  const bytes = tallies.reduce((sum, tally) => sum + tally.bytes, 0)
  return { users: meta.tally.counts[0]!, bytes, days: statistics }
}

/** The operations that keep the records of a deposit in the write of its acknowledgement. */
function depositRecords(next: Counters, { reports = [], code }: Deposit): Operation[] {
  const operations = reports.map(reportOperation)
  if (reports.length > 0) operations.push(counter('report', next.report))
  if (code !== undefined) operations.push(codeOperation(code))
  return operations
}

function markOperations({ user, changes, list }: MarkChange): Operation[] {
  const operations: Operation[] = [{ key: metaKey('list', user), body: encodeMarkList(list) }]
  for (const { report, marks } of changes) {
    const key = metaKey('marks', user, report)
    const index = metaKey('marksByReport', report, user)
    if (marks.length === 0) operations.push({ key }, { key: index })
    else operations.push({ key, body: encodeMarks(marks) }, { key: index, body: NO_BODY })
  }
  return operations
}

/** The operations that delete all entries of a user in `meta`. */
async function userOperations(meta: Database, user: User): Promise<Operation[]> {
  const operations: Operation[] = []
  const body = await meta.get(metaKey('person', user))
  if (body !== undefined) operations.push(...personOperations(user, decodeUser(body)))
  for await (const [key, body] of meta.entries(prefixRange(metaKey('sync', user)))) {
    const syncId = key.slice(5)
    operations.push({ key }, { key: metaKey('syncByDay', decodeSync(syncId, body).day, user, syncId) })
  }
  for await (const key of meta.keys(prefixRange(metaKey('marks', user)))) {
    operations.push({ key }, { key: metaKey('marksByReport', keyNumber(key, 1), user) })
  }
  return operations
}

/** The second half of erasures. After a failed write or a kill, the next erasure or opening repeats this half. */
async function finishErasures({ meta, days, secrets }: Pick<Parts, 'meta' | 'days' | 'secrets'>): Promise<void> {
  for await (const key of meta.keys(prefixRange(metaKey('erasing')))) {
    const user = keyNumber(key, 0)
    await days.eraseUser(user)
    // After the values were counted and deleted, because nobody can open them any more.
    await secrets.destroy(user)
    await meta.write([{ key }])
  }
}

/** The first half of an erasure. */
async function deleteUser({ meta, slips }: Pick<Parts, 'meta' | 'slips'>, user: User): Promise<void> {
  await slips.deleteOf(user, async (gone) =>
    meta.write([...(await userOperations(meta, user)), ...gone, intent(user)], [-1]),
  )
}

/** Erases the users with these keys, as far as the store still knows them. */
async function eraseAgain(
  { meta, days, slips, secrets }: Pick<Parts, 'meta' | 'days' | 'slips' | 'secrets'>,
  erased: Awaited<ReturnType<ErasedUsers['list']>>,
): Promise<void> {
  for (const { key } of erased) {
    const body = await meta.get(metaKey('user', key))
    if (body === undefined) continue
    await deleteUser({ meta, slips }, byteReader(body).u32())
  }
  await finishErasures({ meta, days, secrets })
}

function intent(user: User): Operation & { body: Uint8Array } {
  return { key: metaKey('erasing', user), body: NO_BODY }
}

async function readCounters(meta: Database): Promise<Counters> {
  const read = async (name: keyof Counters): Promise<number> => {
    const body = await meta.get(metaKey('counter', utf8(name)))
    return body === undefined ? 1 : byteReader(body).u32()
  }
  return { user: await read('user'), report: await read('report') }
}

function reportOperation(report: ReportRecord): Operation {
  return { key: metaKey('report', report.id), body: encodeJson(report) }
}

function codeOperation(code: CodeRecord): Operation {
  return { key: metaKey('code', code.hash), body: encodeJson(code) }
}

function counter(name: keyof Counters, value: number): Operation {
  return { key: metaKey('counter', utf8(name)), body: byteWriter(4).u32(value).finish() }
}
