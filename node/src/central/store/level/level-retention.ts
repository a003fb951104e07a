/**
 * Deletes the records in `meta` that belong to dropped days. PROTOCOL.md §8. These are syncs of those days, marks on
 * their epochs, users without a later deposit, and ended pins, codes, enrolments and reports. The rows themselves go with
 * their directory (day-databases.ts).
 */
import { byteReader, byteWriter, type Pin } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import type { CodeRecord, EnrolmentRecord, ReportRecord, User } from '../central-store.ts'
import {
  decodeJson,
  decodeMarkList,
  decodeMarks,
  decodePair,
  decodeUser,
  encodeJson,
  encodeMarkList,
  encodeMarks,
  type UserRecord,
} from '../codecs.ts'
import { epochToDay, timeToDay } from '../day.ts'
import type { Database, Operation } from './database.ts'
import { isKind, keyNumber, metaKey } from './keys.ts'

/** Operations in one write, to bound memory. Each write is complete by itself, so a crash between two does no harm. */
const CHUNK = 2_000

export async function dropMetaBefore(meta: Database, day: number): Promise<void> {
  for (const source of [oldSyncs, oldMarks, oldUsers, oldRecords]) {
    let chunk: Operation[] = []
    for await (const operations of source(meta, day)) {
      chunk.push(...operations)
      if (chunk.length < CHUNK) continue
      await meta.write(chunk, [-deletedUsers(chunk)])
      chunk = []
    }
    if (chunk.length > 0) await meta.write(chunk, [-deletedUsers(chunk)])
  }
  // The floor comes last: until then another drop of the same day finishes this one.
  if (day > (await readFloor(meta)))
    await meta.write([{ key: metaKey('floor'), body: byteWriter(4).u32(day).finish() }])
}

function deletedUsers(operations: readonly Operation[]): number {
  return operations.filter(({ key, body }) => body === undefined && isKind(key, 'user')).length
}

/** The first day that was not dropped. */
export async function readFloor(meta: Database): Promise<number> {
  const body = await meta.get(metaKey('floor'))
  return body === undefined ? 0 : byteReader(body).u32()
}

/** The operations that delete a user, apart from syncs and marks. */
export function personOperations(user: User, { key, seen }: UserRecord): Operation[] {
  return [
    { key },
    { key: metaKey('person', user) },
    { key: metaKey('seen', seen, user) },
    { key: metaKey('list', user) },
    { key: metaKey('attempts', user) },
  ]
}

async function* oldSyncs(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const key of meta.keys({ from: metaKey('syncByDay'), to: metaKey('syncByDay', day) })) {
    yield [{ key }, { key: metaKey('sync', keyNumber(key, 1), key.slice(9)) }]
  }
}

/** Old marks of each user and report, then the user's list. A list has no marks that no report has. */
async function* oldMarks(meta: Database, day: number): AsyncGenerator<Operation[]> {
  const isKept = ({ epoch }: { epoch: number }): boolean => epochToDay(epoch) >= day
  for await (const [key, body] of meta.entries(prefixRange(metaKey('marks')))) {
    const [user, report] = [keyNumber(key, 0), keyNumber(key, 1)]
    const marks = decodeMarks(body)
    const kept = marks.filter(isKept)
    if (kept.length === marks.length) continue
    const operations: Operation[] =
      kept.length > 0 ? [{ key, body: encodeMarks(kept) }] : [{ key }, { key: metaKey('marksByReport', report, user) }]
    const list = await meta.get(metaKey('list', user))
    if (list !== undefined) {
      const known = decodeMarkList(list)
      const entries = known.entries.filter(isKept)
      operations.push({ key: metaKey('list', user), body: encodeMarkList({ ...known, entries }) })
    }
    yield operations
  }
}

/** Users whose last deposit came before the day before. Rows may lie in the day after their arrival. */
async function* oldUsers(meta: Database, day: number): AsyncGenerator<Operation[]> {
  if (day < 1) return
  for await (const key of meta.keys({ from: metaKey('seen'), to: metaKey('seen', day - 1) })) {
    const user = keyNumber(key, 1)
    const body = await meta.get(metaKey('person', user))
    yield [{ key }, ...(body === undefined ? [] : personOperations(user, decodeUser(body)))]
  }
}

async function* oldRecords(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('pin')))) {
    if (epochToDay(decodeJson<Pin>(body).epoch) < day) yield [{ key }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('code')))) {
    const { spent, ...code } = decodeJson<CodeRecord>(body)
    if (timeToDay(code.expiresAt) < day) yield [{ key }]
    else if (spent !== undefined && spent.day < day) yield [{ key, body: encodeJson(code) }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('enrolment')))) {
    if (decodeJson<EnrolmentRecord>(body).until < day) yield [{ key }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('step')))) {
    if (decodePair(body)[0] < day) yield [{ key }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('report')))) {
    const { id, until } = decodeJson<ReportRecord>(body)
    if (epochToDay(until) < day) yield [{ key }, { key: metaKey('progress', id) }]
  }
}
