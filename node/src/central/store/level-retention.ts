/**
 * Deletes the records in `meta` that belong to dropped days. PROTOCOL.md §8. These are syncs of those days, marks on
 * their epochs, and ended pins, codes and reports. The rows themselves go with their directory (day-databases.ts).
 */
import type { Pin } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../platform/level-handle.ts'
import type { CodeRecord, ReportRecord } from './central-store.ts'
import { decodeJson, decodeMarkList, decodeMarks, encodeMarkList, encodeMarks } from './codecs.ts'
import type { Database, Operation } from './database.ts'
import { epochToDay, timeToDay } from './day.ts'
import { keyNumber, metaKey } from './keys.ts'

/** Operations in one write, to bound memory. Each write is complete by itself, so a crash between two does no harm. */
const CHUNK = 2_000

export async function dropMetaBefore(meta: Database, day: number): Promise<void> {
  for (const source of [oldSyncs, oldMarks, oldMarkLists, oldRecords]) {
    let chunk: Operation[] = []
    for await (const operations of source(meta, day)) {
      chunk.push(...operations)
      if (chunk.length < CHUNK) continue
      await meta.write(chunk)
      chunk = []
    }
    if (chunk.length > 0) await meta.write(chunk)
  }
}

async function* oldSyncs(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const key of meta.keys({ from: metaKey('syncByDay'), to: metaKey('syncByDay', day) })) {
    yield [{ key }, { key: metaKey('sync', keyNumber(key, 1), key.slice(9)) }]
  }
}

async function* oldMarks(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('marks')))) {
    const marks = decodeMarks(body)
    const kept = marks.filter(({ epoch }) => epochToDay(epoch) >= day)
    if (kept.length === marks.length) continue
    if (kept.length > 0) yield [{ key, body: encodeMarks(kept) }]
    else yield [{ key }, { key: metaKey('marksByReport', keyNumber(key, 1), keyNumber(key, 0)) }]
  }
}

async function* oldMarkLists(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('list')))) {
    const list = decodeMarkList(body)
    const entries = list.entries.filter(({ epoch }) => epochToDay(epoch) >= day)
    if (entries.length < list.entries.length) yield [{ key, body: encodeMarkList({ ...list, entries }) }]
  }
}

async function* oldRecords(meta: Database, day: number): AsyncGenerator<Operation[]> {
  for await (const [key, body] of meta.entries(prefixRange(metaKey('pin')))) {
    if (epochToDay(decodeJson<Pin>(body).epoch) < day) yield [{ key }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('code')))) {
    if (timeToDay(decodeJson<CodeRecord>(body).expiresAt) < day) yield [{ key }]
  }
  for await (const [key, body] of meta.entries(prefixRange(metaKey('report')))) {
    if (epochToDay(decodeJson<ReportRecord>(body).until) < day) yield [{ key }]
  }
}
