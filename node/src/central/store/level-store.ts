/**
 * The central store on LevelDB. PROTOCOL.md §8. The store writes and syncs rows before their acknowledgement. It stores
 * only rows and lags that the user does not have yet, so a deposit that was interrupted and sent again adds nothing.
 * Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY, SYNC_CONFLICT.
 */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { type Clock, oneAtATime, type Random, type Turns, turns } from '@geotrace/core-wasm'
import { byteReader, byteWriter, equalBytes, FederationError, type Pin, type Row, utf8 } from '@geotrace/core-wasm/wire'
import { type OpenLevel, openLevel, prefixRange } from '../../platform/level-handle.ts'
import type {
  CentralStore,
  CodeRecord,
  Condition,
  Deposit,
  MarkChange,
  ReportRecord,
  StoreCondition,
  User,
  UserRows,
} from './central-store.ts'
import {
  decodeJson,
  decodeMarkList,
  decodeMarks,
  decodeMatchingRows,
  decodePair,
  decodeRows,
  decodeSync,
  decodeUser,
  encodeJson,
  encodeMarkList,
  encodeMarks,
  encodePair,
  encodeRows,
  encodeSync,
  encodeUser,
} from './codecs.ts'
import { type Database, type Operation, openDatabase } from './database.ts'
import { dayToEpochs, epochToDay } from './day.ts'
import { type DayDatabases, openDays } from './day-databases.ts'
import { keyNumber, metaKey, rowsKey, rowsPrefix } from './keys.ts'
import { dropMetaBefore, personOperations, readFloor } from './level-retention.ts'
import { freshRows, mergeRows } from './row-set.ts'
import { type Founding, openStoreDirectory } from './store-directory.ts'
import { takeBack } from './take-back.ts'
import { openWitness } from './witness.ts'

/** 128 bits: the chance that two of a billion users have the same key is 10^-21. */
const USER_KEY_BYTES = 16

const NO_BODY = new Uint8Array(0)

/** The worst first. */
const CONDITIONS: readonly Condition[] = ['damaged', 'failed', 'full']

interface LevelStoreInit {
  dir: string
  random: Random
  clock: Clock
  /** Default: `if-missing`. */
  founding?: Founding
  /** Opens a database; default: LevelDB. */
  open?: OpenLevel
}

/**
 * Opens the store in `dir`, and founds it when `founding` says so. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT,
 * STORAGE_FULL, BUSY, COMMAND_INVALID.
 */
export async function levelStore(storeInit: LevelStoreInit): Promise<CentralStore> {
  const { dir, random, clock, founding = 'if-missing', open = openLevel } = storeInit
  const init = { dir: join(dir, 'meta'), what: 'meta', open, clock, counts: 0, isWhole: true }
  const found = async (): Promise<void> => (await openDatabase({ ...init, create: true, atLeast: 0 })).close()
  const key = await openStoreDirectory({ dir, random, founding, found })
  const witness = await openWitness(dir, clock)
  const meta = await openDatabase({ ...init, create: false, atLeast: witness.atLeast, onWrite: witness.note })
  const closings = [() => witness.close(), () => meta.close()]
  const close = async (): Promise<void> => {
    for (const closing of closings.reverse()) await closing()
  }
  try {
    const days = await openDays({ dir, meta, open, clock, floor: await readFloor(meta) })
    closings.push(() => days.close())
    await finishErasures(meta, days)
    const userKey = (id: Uint8Array): Uint8Array =>
      metaKey('user', createHmac('sha256', key).update(id).digest().subarray(0, USER_KEY_BYTES))
    const parts: Parts = { meta, days, userKey, next: await readCounters(meta), perUser: turns<User>(1) }
    return {
      ...users(parts),
      ...deposits(parts),
      ...marks(parts),
      ...records(parts),
      dropBefore: async (day) => {
        const gone = await days.dropBefore(day)
        await dropMetaBefore(meta, day)
        return gone
      },
      floor: () => days.floor,
      statistics: () => statistics(parts),
      condition: () => toCondition([meta, ...days.days().map((day) => days.get(day)!)]),
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
  /** Keys carry a keyed hash of the id, because LevelDB keeps some keys after their deletion (measured). */
  userKey(id: Uint8Array): Uint8Array
  next: Counters
  perUser: Turns<User>
}

function users({ meta, days, userKey, next, perUser }: Parts) {
  const exclusive = oneAtATime()
  const findUser = async (id: Uint8Array): Promise<User | undefined> => {
    const body = await meta.get(userKey(id))
    return body === undefined ? undefined : byteReader(body).u32()
  }
  return {
    findUser,
    addUser: (id, generation, day) =>
      exclusive(async () => {
        const known = await findUser(id)
        if (known !== undefined) return known
        const user = next.user++
        const key = userKey(id)
        await meta.write([
          { key, body: byteWriter(4).u32(user).finish() },
          { key: metaKey('person', user), body: encodeUser({ since: day, seen: day, key }) },
          { key: metaKey('seen', day, user), body: NO_BODY },
          { key: metaKey('list', user), body: encodeMarkList({ generation, last: 0, entries: [] }) },
          counter('user', next.user),
        ])
        return user
      }),
    eraseUser: (id) =>
      exclusive(async () => {
        // An erasure whose later writes failed has no mapping any more, so its repetition finds no user.
        await finishErasures(meta, days)
        const user = await findUser(id)
        if (user === undefined) return false
        await perUser.run(user, async () => {
          await meta.write([...(await userOperations(meta, user)), intent(user)])
          await finishErasures(meta, days)
          await meta.compact(prefixRange(userKey(id)))
        })
        return true
      }),
  } satisfies Partial<CentralStore>
}

function deposits({ meta, days, next, perUser }: Parts) {
  const findSync: CentralStore['findSync'] = async (user, syncId) => {
    const body = await meta.get(metaKey('sync', user, syncId))
    return body === undefined ? undefined : decodeSync(syncId, body)
  }
  return {
    findSync,
    deposit: (deposit) =>
      perUser.run(deposit.user, async () => {
        const known = await findSync(deposit.user, deposit.syncId)
        if (known !== undefined && !equalBytes(known.digest, deposit.digest)) {
          throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
        }
        if (known !== undefined) return 'duplicate'
        const touched = await writeRows(days, deposit)
        const seen = await seenOperations(meta, deposit)
        await meta.write([...seen, ...acknowledgement(next, deposit), ...days.witness(touched)])
        return 'stored'
      }),
    takeBack: (user, items) => perUser.run(user, () => takeBack(meta, days, user, items)),
    attempts: async (user) => {
      const body = await meta.get(metaKey('attempts', user))
      if (body === undefined) return undefined
      const [day, count] = decodePair(body)
      return { day, count }
    },
    userRows: async (epoch, user) => (await readRows(days, epoch, user)).rows,
    probe: (epoch, hashes) => probe(days, epoch, hashes),
    epochs: async () => days.days().flatMap(dayToEpochs),
  } satisfies Partial<CentralStore>
}

async function* probe(days: DayDatabases, epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows> {
  let user: User | undefined
  let lists: Row[][] = []
  for await (const [key, body] of days.get(epochToDay(epoch))?.entries(prefixRange(rowsPrefix(epoch))) ?? []) {
    const rows = decodeMatchingRows(body, hashes)
    if (rows.length === 0) continue
    if (user !== undefined && user !== keyNumber(key, 1)) {
      yield { user, rows: mergeRows(...lists) }
      lists = []
    }
    user = keyNumber(key, 1)
    lists.push(rows)
  }
  if (user !== undefined) yield { user, rows: mergeRows(...lists) }
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
    userMarks: async (user) => {
      const items = []
      for await (const [key, body] of meta.entries(prefixRange(metaKey('marks', user)))) {
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

function records({ meta, next }: Parts) {
  const all = async <T>(kind: 'report' | 'pin', decode: (body: Uint8Array) => T): Promise<T[]> => {
    const items: T[] = []
    for await (const [, body] of meta.entries(prefixRange(metaKey(kind)))) items.push(decode(body))
    return items
  }
  return {
    nextReport: async () => next.report++,
    reports: () => all('report', decodeJson<ReportRecord>),
    putReport: (report) => meta.write([reportOperation(report), counter('report', next.report)]),
    findCode: async (hash) => {
      const body = await meta.get(metaKey('code', hash))
      return body === undefined ? undefined : decodeJson(body)
    },
    putCodes: (codes) => meta.write(codes.map((code) => ({ key: metaKey('code', code.hash), body: encodeJson(code) }))),
    codes: async function* () {
      for await (const [, body] of meta.entries(prefixRange(metaKey('code')))) yield decodeJson<CodeRecord>(body)
    },
    pins: () => all('pin', decodeJson<Pin>),
    putPin: (pin) => meta.write([{ key: metaKey('pin', pin.epoch), body: encodeJson(pin) }]),
  } satisfies Partial<CentralStore>
}

/** The worst condition of the databases, with the names of those that have one. */
function toCondition(databases: readonly Database[]): StoreCondition {
  const worst = CONDITIONS.find((condition) => databases.some((item) => item.condition === condition)) ?? 'sound'
  return { condition: worst, parts: databases.filter((item) => item.condition !== 'sound').map(({ what }) => what) }
}

async function statistics({ meta, days }: Parts) {
  let users = 0
  for await (const _ of meta.keys(prefixRange(metaKey('user')))) users++
  return { users, days: days.statistics() }
}

/** The rows of a user in an epoch, and the number of the next part that adds to them. */
async function readRows(days: DayDatabases, epoch: number, user: User): Promise<{ rows: Row[]; nextPart: number }> {
  const lists = []
  let nextPart = 0
  for await (const [key, body] of days.get(epochToDay(epoch))?.entries(prefixRange(rowsPrefix(epoch, user))) ?? []) {
    lists.push(decodeRows(body))
    nextPart = keyNumber(key, 2) + 1
  }
  return { rows: mergeRows(...lists), nextPart }
}

/** Writes the rows that the user does not have yet. Returns the days that it wrote to. */
async function writeRows(days: DayDatabases, { user, groups }: Deposit): Promise<number[]> {
  const byDay = new Map<number, { operations: Operation[]; rows: number }>()
  for (const { epoch, rows } of groups) {
    const known = await readRows(days, epoch, user)
    const { fresh, added } = freshRows(known.rows, rows)
    if (fresh.length === 0) continue
    const item = byDay.get(epochToDay(epoch)) ?? { operations: [], rows: 0 }
    byDay.set(epochToDay(epoch), item)
    item.operations.push({ key: rowsKey(epoch, user, known.nextPart), body: encodeRows(fresh) })
    item.rows += added
  }
  // Wait for every day, because a repetition that starts during a write would store its rows twice.
  const writes = await Promise.allSettled(
    [...byDay].map(async ([day, { operations, rows }]) =>
      (await days.ensure(day)).write(operations, [operations.length, rows]),
    ),
  )
  for (const write of writes) if (write.status === 'rejected') throw write.reason
  return [...byDay.keys()]
}

/** The operations that keep the day of a user's last deposit, and forget attempts of earlier days. */
async function seenOperations(meta: Database, { user, day }: Deposit): Promise<Operation[]> {
  const body = await meta.get(metaKey('person', user))
  if (body === undefined) return []
  const person = decodeUser(body)
  if (person.seen >= day) return []
  return [
    { key: metaKey('person', user), body: encodeUser({ ...person, seen: day }) },
    { key: metaKey('seen', person.seen, user) },
    { key: metaKey('seen', day, user), body: NO_BODY },
    { key: metaKey('attempts', user) },
  ]
}

/** The acknowledgement with everything that becomes durable in the same write. */
function acknowledgement(next: Counters, deposit: Deposit): Operation[] {
  const { user, syncId, day, attempts, reports = [], code } = deposit
  const operations: Operation[] = [
    { key: metaKey('sync', user, syncId), body: encodeSync(deposit) },
    { key: metaKey('syncByDay', day, user, syncId), body: NO_BODY },
  ]
  if (attempts !== undefined) {
    operations.push({ key: metaKey('attempts', user), body: encodePair(attempts.day, attempts.count) })
  }
  if (reports.length > 0) operations.push(...reports.map(reportOperation), counter('report', next.report))
  if (code !== undefined) operations.push({ key: metaKey('code', code.hash), body: encodeJson(code) })
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
async function finishErasures(meta: Database, days: DayDatabases): Promise<void> {
  for await (const key of meta.keys(prefixRange(metaKey('erasing')))) {
    const user = keyNumber(key, 0)
    await days.eraseUser(user)
    for (const kind of ['list', 'attempts', 'sync', 'marks'] as const)
      await meta.compact(prefixRange(metaKey(kind, user)))
    await meta.write([{ key }])
  }
}

function intent(user: User): Operation & { body: Uint8Array } {
  return { key: metaKey('erasing', user), body: NO_BODY }
}

function reportOperation(report: ReportRecord): Operation {
  return { key: metaKey('report', report.id), body: encodeJson(report) }
}

function counter(name: keyof Counters, value: number): Operation {
  return { key: metaKey('counter', utf8(name)), body: byteWriter(4).u32(value).finish() }
}

async function readCounters(meta: Database): Promise<Counters> {
  const read = async (name: keyof Counters): Promise<number> => {
    const body = await meta.get(metaKey('counter', utf8(name)))
    return body === undefined ? 1 : byteReader(body).u32()
  }
  return { user: await read('user'), report: await read('report') }
}
