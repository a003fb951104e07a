/**
 * The central store on LevelDB. PROTOCOL.md §8. The store writes and syncs rows before the acknowledgement that counts
 * them. The key of rows is (epoch, user, sync id), so a deposit that was interrupted and sent again writes the same keys
 * and counts once. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT, SYNC_CONFLICT.
 */
import { createHmac } from 'node:crypto'
import { join } from 'node:path'
import { oneAtATime, type Random, turns } from '@geotrace/core-wasm'
import { byteReader, byteWriter, equalBytes, FederationError, type Pin, utf8 } from '@geotrace/core-wasm/wire'
import type { CentralStore, Deposit, MarkChange, ReportRecord, User } from './central-store.ts'
import { corrupt } from './checksummed-value.ts'
import {
  decodeJson,
  decodeMarkList,
  decodeMarks,
  decodeMatchingRows,
  decodePair,
  decodeRows,
  decodeSync,
  encodeJson,
  encodeMarkList,
  encodeMarks,
  encodePair,
  encodeRows,
  encodeSync,
} from './codecs.ts'
import { type Database, type Operation, openDatabase, prefixRange } from './database.ts'
import { dayToEpochs, epochToDay } from './day.ts'
import { assertCounts, type DayDatabases, openDays } from './day-databases.ts'
import { keyNumber, metaKey, rowsKey, rowsPrefix } from './keys.ts'
import { dropMetaBefore } from './level-retention.ts'
import { mergeRows } from './row-set.ts'
import { openStoreDirectory } from './store-directory.ts'

const ROOT = utf8('geotrace central store 1')
/** 128 bits: the chance that two of a billion users have the same key is 10^-21. */
const USER_KEY_BYTES = 16

/** Opens the store in `dir` and founds it the first time. Throws STORE_LOCKED, STORE_MISSING, STORAGE_CORRUPT. */
export async function levelStore({ dir, random }: { dir: string; random: Random }): Promise<CentralStore> {
  const metaDir = join(dir, 'meta')
  const key = await openStoreDirectory(dir, random, async () => {
    const fresh = await openDatabase(metaDir, 'meta', true)
    await fresh.write([{ key: metaKey('root'), body: ROOT }])
    await fresh.close()
  })
  const meta = await openDatabase(metaDir, 'meta', false)
  try {
    if ((await meta.get(metaKey('root'))) === undefined) corrupt('meta')
    const days = await openDays(dir, meta)
    try {
      for await (const item of meta.keys(prefixRange(metaKey('erasing')))) {
        await finishErasure(meta, days, keyNumber(item, 0))
      }
      await assertCounts(days)
    } catch (error) {
      await days.close()
      throw error
    }
    return open(meta, days, key, await readCounters(meta))
  } catch (error) {
    await meta.close()
    throw error
  }
}

interface Counters {
  user: User
  report: number
}

function open(meta: Database, days: DayDatabases, storeKey: Uint8Array, next: Counters): CentralStore {
  const exclusive = oneAtATime()
  const perUser = turns<User>(1)
  // Keys carry a keyed hash of the id, because LevelDB keeps some keys after their deletion (measured).
  const userKey = (id: Uint8Array): Uint8Array =>
    metaKey('user', createHmac('sha256', storeKey).update(id).digest().subarray(0, USER_KEY_BYTES))
  const findUser = async (id: Uint8Array): Promise<User | undefined> => {
    const body = await meta.get(userKey(id))
    return body === undefined ? undefined : byteReader(body).u32()
  }
  const findSync: CentralStore['findSync'] = async (user, syncId) => {
    const body = await meta.get(metaKey('sync', user, syncId))
    return body === undefined ? undefined : decodeSync(syncId, body)
  }
  const all = async <T>(kind: 'report' | 'pin', decode: (body: Uint8Array) => T): Promise<T[]> => {
    const items: T[] = []
    for await (const [, body] of meta.entries(prefixRange(metaKey(kind)))) items.push(decode(body))
    return items
  }

  return {
    findUser,
    addUser: (id, generation) =>
      exclusive(async () => {
        const known = await findUser(id)
        if (known !== undefined) return known
        const user = next.user++
        await meta.write([
          { key: userKey(id), body: byteWriter(4).u32(user).finish() },
          { key: metaKey('list', user), body: encodeMarkList({ generation, last: 0, entries: [] }) },
          counter('user', next.user),
        ])
        return user
      }),
    eraseUser: (id) =>
      exclusive(async () => {
        const user = await findUser(id)
        if (user === undefined) return false
        await perUser.run(user, async () => {
          await meta.write([...(await userOperations(meta, user)), { key: userKey(id) }, intent(user)])
          await finishErasure(meta, days, user)
          await meta.compact(prefixRange(userKey(id)))
        })
        return true
      }),

    findSync,
    deposit: (deposit) =>
      perUser.run(deposit.user, async () => {
        const known = await findSync(deposit.user, deposit.syncId)
        if (known !== undefined && !equalBytes(known.digest, deposit.digest)) {
          throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
        }
        if (known !== undefined) return 'duplicate'
        await writeRows(days, deposit)
        await acknowledge(meta, days, next, deposit)
        return 'stored'
      }),
    attempts: async (user) => {
      const body = await meta.get(metaKey('attempts', user))
      if (body === undefined) return undefined
      const [day, count] = decodePair(body)
      return { day, count }
    },

    userRows: async (epoch, user) => {
      const lists = []
      const entries = days.get(epochToDay(epoch))?.entries(prefixRange(rowsPrefix(epoch, user)))
      for await (const [, body] of entries ?? []) lists.push(decodeRows(body))
      return mergeRows(...lists)
    },
    probe: async function* (epoch, hashes) {
      let user: User | undefined
      let lists: ReturnType<typeof decodeRows>[] = []
      const entries = days.get(epochToDay(epoch))?.entries(prefixRange(rowsPrefix(epoch)))
      for await (const [key, body] of entries ?? []) {
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
    },
    epochs: async () => days.days().flatMap(dayToEpochs),

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
      await Promise.all(
        changes.map((change) =>
          perUser.run(change.user, async () => {
            if ((await meta.get(metaKey('list', change.user))) === undefined) return
            await meta.write(markOperations(change))
          }),
        ),
      )
    },

    nextReport: async () => next.report++,
    reports: () => all('report', decodeJson<ReportRecord>),
    putReport: (report) => meta.write([reportOperation(report), counter('report', next.report)]),
    findCode: async (hash) => {
      const body = await meta.get(metaKey('code', hash))
      return body === undefined ? undefined : decodeJson(body)
    },
    putCodes: (codes) => meta.write(codes.map((code) => ({ key: metaKey('code', code.hash), body: encodeJson(code) }))),
    codes: async function* () {
      for await (const [, body] of meta.entries(prefixRange(metaKey('code')))) yield decodeJson(body)
    },
    pins: () => all('pin', decodeJson<Pin>),
    putPin: (pin) => meta.write([{ key: metaKey('pin', pin.epoch), body: encodeJson(pin) }]),

    dropBefore: async (day) => {
      const gone = await days.dropBefore(day)
      await dropMetaBefore(meta, day)
      return gone
    },
    statistics: async () => {
      let users = 0
      for await (const _ of meta.keys(prefixRange(metaKey('user')))) users++
      return { users, days: days.statistics() }
    },
    close: async () => {
      await days.close()
      await meta.close()
    },
  }
}

async function writeRows(days: DayDatabases, { user, syncId, groups }: Deposit): Promise<void> {
  const byDay = new Map<number, Operation[]>()
  for (const { epoch, rows } of groups) {
    const day = epochToDay(epoch)
    const operation = { key: rowsKey(epoch, user, syncId), body: encodeRows(rows) }
    byDay.set(day, [...(byDay.get(day) ?? []), operation])
  }
  await Promise.all([...byDay].map(async ([day, operations]) => (await days.ensure(day)).write(operations)))
}

/** Writes the acknowledgement; from this write on the deposit counts. */
function acknowledge(meta: Database, days: DayDatabases, next: Counters, deposit: Deposit): Promise<void> {
  const { user, syncId, day, groups, attempts, report, code } = deposit
  const operations: Operation[] = [
    { key: metaKey('sync', user, syncId), body: encodeSync(deposit) },
    { key: metaKey('syncByDay', day, user, syncId), body: new Uint8Array(0) },
    ...groups.map(({ epoch, rows }) => days.count(epochToDay(epoch), 1, rows.length)),
  ]
  if (attempts !== undefined) {
    operations.push({ key: metaKey('attempts', user), body: encodePair(attempts.day, attempts.count) })
  }
  if (report !== undefined) operations.push(reportOperation(report), counter('report', next.report))
  if (code !== undefined) operations.push({ key: metaKey('code', code.hash), body: encodeJson(code) })
  return meta.write(operations)
}

function markOperations({ user, changes, list }: MarkChange): Operation[] {
  const operations: Operation[] = [{ key: metaKey('list', user), body: encodeMarkList(list) }]
  for (const { report, marks } of changes) {
    const key = metaKey('marks', user, report)
    const index = metaKey('marksByReport', report, user)
    if (marks.length === 0) operations.push({ key }, { key: index })
    else operations.push({ key, body: encodeMarks(marks) }, { key: index, body: new Uint8Array(0) })
  }
  return operations
}

/** The operations that delete all entries of a user in `meta` except the mapping from the id. */
async function userOperations(meta: Database, user: User): Promise<Operation[]> {
  const operations: Operation[] = [{ key: metaKey('list', user) }, { key: metaKey('attempts', user) }]
  for await (const [key, body] of meta.entries(prefixRange(metaKey('sync', user)))) {
    const syncId = key.slice(5)
    operations.push({ key }, { key: metaKey('syncByDay', decodeSync(syncId, body).day, user, syncId) })
  }
  for await (const key of meta.keys(prefixRange(metaKey('marks', user)))) {
    operations.push({ key }, { key: metaKey('marksByReport', keyNumber(key, 1), user) })
  }
  return operations
}

/** The second half of an erasure. When the process dies here, the next opening of the store repeats this half. */
async function finishErasure(meta: Database, days: DayDatabases, user: User): Promise<void> {
  const counts = await days.eraseUser(user)
  for (const kind of ['list', 'attempts', 'sync', 'marks'] as const)
    await meta.compact(prefixRange(metaKey(kind, user)))
  await meta.write([...counts, { key: intent(user).key }])
}

function intent(user: User): Operation & { body: Uint8Array } {
  return { key: metaKey('erasing', user), body: new Uint8Array(0) }
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
