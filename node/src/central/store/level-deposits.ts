/**
 * Deposits in the level store. PROTOCOL.md §8. The rows of a user in an epoch lie in a few parts. A deposit adds one part
 * with the rows and lags that are new, and many parts become one again. So the same rows sent again cost nothing on disk,
 * and no user can make a read of their rows slow. A probe of a closed epoch begins with its runs (level-runs.ts). Throws
 * STORAGE_CORRUPT, STORAGE_FULL, BUSY, SYNC_CONFLICT.
 */
import { type Turns, turns } from '@geotrace/core-wasm'
import { bytesToHex, equalBytes, FederationError, type Row } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../platform/level-handle.ts'
import type { CentralStore, CodeRecord, Deposit, User, UserRows } from './central-store.ts'
import {
  decodeJson,
  decodeMatchingRows,
  decodePair,
  decodeRows,
  decodeSync,
  decodeUser,
  encodePair,
  encodeRows,
  encodeSync,
  encodeUser,
} from './codecs.ts'
import type { Database, Operation } from './database/database.ts'
import { dayToEpochs, epochToDay } from './day.ts'
import type { DayDatabases } from './day-databases.ts'
import { keyNumber, metaKey, NO_BODY, newRowsPrefix, rowsKey, rowsPrefix, withMark } from './keys.ts'
import { closeEpoch, findCandidates } from './level-runs.ts'
import { freshRows, mergeRows } from './row-set.ts'
import { takeBack } from './take-back.ts'

/** Parts of a user's rows in an epoch. With 480 rows at most, joining them writes 6 KB. */
const PARTS_MAX = 8

interface DepositsInit {
  meta: Database
  days: DayDatabases
  perUser: Turns<User>
  codes: OpenCodes
  /** The operations that keep the records of a deposit's reports and code. */
  toRecords(deposit: Deposit): Operation[]
}

/** Ends the validity of codes, each one once. */
export interface OpenCodes {
  /** Runs the task while the code is open; false when it is not. Other tasks of this code wait. */
  close(code: Pick<CodeRecord, 'hash'>, task: () => Promise<void>): Promise<boolean>
}

export function openCodes(meta: Database): OpenCodes {
  const perCode = turns<string>(1)
  return {
    close: ({ hash }, task) =>
      perCode.run(bytesToHex(hash), async () => {
        const body = await meta.get(metaKey('code', hash))
        if (body === undefined || decodeJson<CodeRecord>(body).state !== 'open') return false
        await task()
        return true
      }),
  }
}

export function levelDeposits({ meta, days, perUser, codes, toRecords }: DepositsInit) {
  const findSync: CentralStore['findSync'] = async (user, syncId) => {
    const body = await meta.get(metaKey('sync', user, syncId))
    return body === undefined ? undefined : decodeSync(syncId, body)
  }
  const write = async (deposit: Deposit, seen: readonly Operation[]): Promise<void> => {
    const { user, takenBack = [], groups } = deposit
    await takeBack(days, user, takenBack)
    await writeRows(days, deposit)
    // Also of days without a write: the witness of an earlier write may have failed.
    const witness = days.witness(new Set([...takenBack, ...groups].map(({ epoch }) => epochToDay(epoch))))
    await meta.write([...seen, ...acknowledgement(deposit), ...toRecords(deposit), ...witness])
  }
  return {
    findSync,
    deposit: (deposit) =>
      perUser.run(deposit.user, async () => {
        const { user, syncId, digest, code } = deposit
        const known = await findSync(user, syncId)
        if (known !== undefined && !equalBytes(known.digest, digest)) {
          throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
        }
        if (known !== undefined) return 'duplicate'
        const seen = await seenOperations(meta, deposit)
        if (seen === undefined) return 'too-many'
        const store = (): Promise<void> => write(deposit, seen)
        if (code !== undefined) return (await codes.close(code, store)) ? 'stored' : 'code-taken'
        await store()
        return 'stored'
      }),
    attempts: async (user) => {
      const body = await meta.get(metaKey('attempts', user))
      if (body === undefined) return undefined
      const [day, count] = decodePair(body)
      return { day, count }
    },
    userRows: async (epoch, user) => (await readRows(days, epoch, user)).rows,
    probe: (epoch, hashes) => probe(days, epoch, hashes),
    epochs: async () => days.days().flatMap(dayToEpochs),
    closeEpoch: async (epoch) => {
      const database = days.get(epochToDay(epoch))
      if (database === undefined) return 0
      const rows = await closeEpoch(database, epoch)
      if (rows > 0) await meta.write(days.witness([epochToDay(epoch)]))
      return rows
    },
  } satisfies Partial<CentralStore>
}

async function* probe(days: DayDatabases, epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows> {
  const database = days.get(epochToDay(epoch))
  if (database === undefined) return
  const candidates = await findCandidates(database, epoch, hashes)
  if (candidates === undefined) return yield* scan(database, epoch, hashes)
  for (const user of candidates) {
    const lists: Row[][] = []
    for await (const [, body] of database.entries(prefixRange(rowsPrefix(epoch, user))))
      lists.push(decodeMatchingRows(body, hashes))
    const rows = mergeRows(...lists)
    if (rows.length > 0) yield { user, rows }
  }
}

/** Reads all rows of an epoch. */
async function* scan(database: Database, epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows> {
  let user: User | undefined
  let lists: Row[][] = []
  for await (const [key, body] of database.entries(prefixRange(rowsPrefix(epoch)))) {
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

/** The rows of a user in an epoch, and the keys of their parts. */
async function readRows(days: DayDatabases, epoch: number, user: User): Promise<{ rows: Row[]; keys: Uint8Array[] }> {
  const [lists, keys]: [Row[][], Uint8Array[]] = [[], []]
  for await (const [key, body] of days.get(epochToDay(epoch))?.entries(prefixRange(rowsPrefix(epoch, user))) ?? []) {
    lists.push(decodeRows(body))
    keys.push(key)
  }
  return { rows: mergeRows(...lists), keys }
}

/** Writes the rows that the user does not have yet. */
async function writeRows(days: DayDatabases, { user, groups }: Deposit): Promise<void> {
  const byDay = new Map<number, { operations: Operation[]; rows: number }>()
  for (const { epoch, rows } of groups) {
    const known = await readRows(days, epoch, user)
    const { fresh, added } = freshRows(known.rows, rows)
    if (fresh.length === 0) continue
    const item = byDay.get(epochToDay(epoch)) ?? { operations: [], rows: 0 }
    byDay.set(epochToDay(epoch), item)
    item.rows += added
    const isJoined = known.keys.length >= PARTS_MAX
    if (isJoined) item.operations.push(...known.keys.flatMap(withMark).map((key) => ({ key })))
    // No number is used twice for a user, so that a closing takes no new part for one that is in a run.
    const last = known.keys.at(-1)
    const part = Math.max(
      days.get(epochToDay(epoch))?.tally.writes ?? 0,
      last === undefined ? 0 : keyNumber(last, 2) + 1,
    )
    const body = encodeRows(isJoined ? mergeRows(known.rows, fresh) : fresh)
    item.operations.push({ key: rowsKey(epoch, user, part), body, isNew: true })
    item.operations.push({ key: newRowsPrefix(epoch, user, part), body: NO_BODY, isNew: true })
  }
  // Wait for every day, because a repetition that starts during a write would store its rows twice.
  const writes = await Promise.allSettled(
    [...byDay].map(async ([day, { operations, rows }]) => (await days.ensure(day)).write(operations, [rows])),
  )
  for (const write of writes) if (write.status === 'rejected') throw write.reason
}

/**
 * The operations that count a deposit of the user's last day, and forget attempts of earlier days. Undefined when the
 * user has made all deposits of the day.
 */
async function seenOperations(meta: Database, { user, day, perDay }: Deposit): Promise<Operation[] | undefined> {
  const key = metaKey('person', user)
  const body = await meta.get(key)
  if (body === undefined) return []
  const person = decodeUser(body)
  if (person.seen >= day) {
    const deposits = person.deposits + 1
    return deposits > perDay ? undefined : [{ key, body: encodeUser({ ...person, deposits }) }]
  }
  return [
    { key, body: encodeUser({ ...person, seen: day, deposits: 1 }) },
    { key: metaKey('seen', person.seen, user) },
    { key: metaKey('seen', day, user), body: NO_BODY },
    { key: metaKey('attempts', user) },
  ]
}

function acknowledgement(deposit: Deposit): Operation[] {
  const { user, syncId, day, attempts } = deposit
  const operations: Operation[] = [
    { key: metaKey('sync', user, syncId), body: encodeSync(deposit), isNew: true },
    { key: metaKey('syncByDay', day, user, syncId), body: NO_BODY, isNew: true },
  ]
  if (attempts !== undefined) {
    operations.push({ key: metaKey('attempts', user), body: encodePair(attempts.day, attempts.count) })
  }
  return operations
}
