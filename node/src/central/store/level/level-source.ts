/** All that an open level store has, for a copy into a store of another engine (store-source.ts). Throws STORAGE_CORRUPT. */
import { createHash } from 'node:crypto'
import { byteReader, type Pin, SPREAD_SLIP_BYTES, SYNC_ID_BYTES, utf8 } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import { blobToAck, blobToUser, encodeBlob } from '../arrival.ts'
import type { CodeRecord, EnrolmentRecord, Lease, ReportProgress, ReportRecord } from '../central-store.ts'
import { decodeJson, decodePair, decodeSync, decodeUser } from '../codecs.ts'
import { dayToEpochs } from '../day.ts'
import type { ErasedUsers } from '../erased-users.ts'
import type { SourceBlob, SourceMarks, SourceRecord, SourceUser, StoreSource } from '../store-source.ts'
import type { Database } from './database.ts'
import type { DayDatabases } from './day-databases.ts'
import { readRunEnds } from './day-runs.ts'
import { blobKey, keyNumber, metaKey } from './keys.ts'

interface LevelSourceInit {
  meta: Database
  days: DayDatabases
  userSecret: Uint8Array
  erased: ErasedUsers | undefined
}

export function levelSource({ meta, days, userSecret, erased }: LevelSourceInit): StoreSource {
  const counter = async (name: 'user' | 'report'): Promise<number> => {
    const body = await meta.get(metaKey('counter', utf8(name)))
    return body === undefined ? 1 : byteReader(body).u32()
  }
  return {
    userSecret,
    erased: async () => (await erased?.list()) ?? [],
    async state() {
      // Opens the days of which no tally is known.
      await days.statistics()
      return [meta, ...days.databases()].map(({ what, tally }) => `${what}: ${tally.writes}`).join(', ')
    },
    get floor() {
      return days.floor
    },
    next: async () => ({ user: await counter('user'), report: await counter('report') }),
    users: () => readUsers(meta),
    marks: () => readMarks(meta),
    records: () => readRecords(meta),
    days: () => days.days(),
    blobs: (day) => readBlobs(meta, days, day),
    async closed(day) {
      const ends = await readRunEnds(days.get(day)!.database)
      return dayToEpochs(day).filter((_, n) => ends[n]!.closed > 0)
    },
  }
}

async function* readUsers(meta: Database): AsyncGenerator<SourceUser> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('person')))) {
    const user = keyNumber(key, 0)
    const person = decodeUser(body)
    const [tried, list] = await meta.getMany([metaKey('attempts', user), metaKey('list', user)])
    const [day, count] = tried === undefined ? [] : decodePair(tried)
    const attempts = day === undefined ? undefined : { day, count: count! }
    // The key without the letter of its kind.
    yield { user, key: person.key.slice(1), seen: person.seen, attempts, list: list!.slice() }
  }
}

async function* readMarks(meta: Database): AsyncGenerator<SourceMarks> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('marks'))))
    yield { user: keyNumber(key, 0), report: keyNumber(key, 1), marks: body.slice() }
}

async function* readRecords(meta: Database): AsyncGenerator<SourceRecord> {
  const all = (kind: Parameters<typeof metaKey>[0]) => meta.entries(prefixRange(metaKey(kind)))
  const toName = (key: Uint8Array): string => Buffer.from(key.subarray(1)).toString()
  for await (const [, body] of all('report')) yield { kind: 'report', value: decodeJson<ReportRecord>(body) }
  for await (const [, body] of all('progress')) yield { kind: 'progress', value: decodeJson<ReportProgress>(body) }
  for await (const [, body] of all('code')) yield { kind: 'code', value: decodeJson<CodeRecord>(body) }
  for await (const [, body] of all('pin')) yield { kind: 'pin', value: decodeJson<Pin>(body) }
  for await (const [key, body] of all('slip')) {
    const reader = byteReader(body)
    const [user, bytes] = [reader.u32(), reader.bytes(SPREAD_SLIP_BYTES)]
    yield { kind: 'slip', period: keyNumber(key, 0), report: keyNumber(key, 1), user, bytes }
  }
  for await (const [key, body] of all('slipBatch'))
    yield { kind: 'batch', period: keyNumber(key, 0), bytes: body.slice() }
  for await (const [key, body] of all('enrolment'))
    yield { kind: 'enrolment', name: key.slice(1), value: decodeJson<EnrolmentRecord>(body) }
  for await (const [, body] of all('lease')) yield { kind: 'lease', value: decodeJson<Lease>(body) }
  for await (const [key, body] of all('step')) {
    const [until, count] = decodePair(body)
    yield { kind: 'step', name: toName(key), until, count }
  }
  for await (const [key, body] of all('record')) yield { kind: 'record', name: toName(key), bytes: body.slice() }
}

async function* readBlobs(meta: Database, days: DayDatabases, day: number): AsyncGenerator<SourceBlob> {
  const rows = days.get(day)!
  for await (const [key, body] of rows.database.entries(prefixRange(blobKey()))) {
    const blob = body.slice()
    const sync = blobToAck(blob)?.syncId ?? numberToSync(day, keyNumber(key, 0))
    yield { user: blobToUser(blob), sync: sync.slice(), blob }
  }
  // A process that ended between the two writes of a report left the acknowledgement in `meta` only.
  for await (const key of meta.keys(prefixRange(metaKey('syncByDay', day)))) {
    const [user, syncId] = [keyNumber(key, 1), key.slice(9)]
    if ((await rows.findSync(user, syncId)) !== undefined) continue
    const body = await meta.get(metaKey('sync', user, syncId))
    if (body !== undefined) yield { user, sync: syncId, blob: encodeBlob(user, [], decodeSync(syncId, body)) }
  }
}

/** Rows without an acknowledgement have no sync id here. The number of their blob gives the same bytes each time. */
function numberToSync(day: number, blob: number): Uint8Array {
  const digest = createHash('sha256').update(`geotrace/copied-rows\0${day}/${blob}`).digest()
  return new Uint8Array(digest.subarray(0, SYNC_ID_BYTES))
}
