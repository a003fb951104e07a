/** Reads a copy as its source is read (store-source.ts), so that both can be compared. Throws STORAGE_CORRUPT, BUSY. */
import type { CodeRecord, EnrolmentRecord, Lease, ReportProgress, ReportRecord, User } from '../../central-store.ts'
import { decodeJson } from '../../codecs.ts'
import type { SourceBlob, SourceMarks, SourceRecord, SourceUser } from '../../store-source.ts'
import { openBlob } from '../blob.ts'
import { codeName, records } from '../records.ts'
import { blobTable } from '../schema.ts'
import { type ServerGroup, toBytes } from '../server-group.ts'

export async function* readCopiedUsers(group: ServerGroup): AsyncGenerator<SourceUser> {
  for (const server of group.servers) {
    const text = 'select usr.usr, id, seen, tried_day, tried, b from usr left join list on list.usr = usr.usr'
    for await (const line of server.lines(text)) {
      const { usr: user, seen, tried_day: day, tried: count } = line as Record<string, number>
      const attempts = count === 0 ? undefined : { day: day!, count: count! }
      const list = group.open(server, `list/${user}`, toBytes(line))
      yield { user: user!, key: toBytes(line, 'id'), seen: seen!, attempts, list }
    }
  }
}

export async function* readCopiedMarks(group: ServerGroup): AsyncGenerator<SourceMarks> {
  for (const server of group.servers) {
    for await (const line of server.lines('select usr, report, b from mark')) {
      const [user, report] = [line.usr as User, line.report as number]
      yield { user, report, marks: group.open(server, `mark/${user}/${report}`, toBytes(line)) }
    }
  }
}

export async function* readCopiedBlobs(group: ServerGroup, day: number): AsyncGenerator<SourceBlob> {
  for (const server of group.servers) {
    if (!(await group.hasDay(server, day))) continue
    for await (const line of server.lines(`select usr, sync, b from ${blobTable(day)}`))
      yield { user: line.usr as User, sync: toBytes(line, 'sync'), blob: openBlob(group, server, day, line) }
  }
}

/** The record of the copy in the place of one of the source; undefined when there is none. */
export async function readCopiedRecord(group: ServerGroup, record: SourceRecord): Promise<SourceRecord | undefined> {
  const { head, toKey } = group
  /** The sealed value in one line of a table. */
  const read = async (
    text: string,
    what: string,
    ...keys: (number | Uint8Array)[]
  ): Promise<Uint8Array | undefined> => {
    const [line] = await head.query(text, ...keys)
    return line && group.open(head, what, toBytes(line))
  }
  switch (record.kind) {
    case 'report': {
      const { id } = record.value
      const body = await read('select b from report where id = $1', `report/${id}`, id)
      return body && { kind: 'report', value: decodeJson<ReportRecord>(body) }
    }
    case 'progress': {
      const { report } = record.value
      const body = await read('select b from progress where report = $1', `progress/${report}`, report)
      return body && { kind: 'progress', value: decodeJson<ReportProgress>(body) }
    }
    case 'code': {
      const key = toKey('code', record.value.hash)
      const body = await read('select b from code where hash = $1', codeName(key), key)
      return body && { kind: 'code', value: decodeJson<CodeRecord>(body) }
    }
    case 'pin': {
      const { epoch } = record.value
      const body = await read('select b from pin where epoch = $1', `pin/${epoch}`, epoch)
      return body && { kind: 'pin', value: decodeJson(body) }
    }
    case 'slip': {
      const { period, report, user } = record
      const text = 'select b from slip where period = $1 and report = $2 and usr = $3'
      const bytes = await read(text, `slip/${period}/${report}`, period, report, user)
      return bytes && { kind: 'slip', period, report, user, bytes }
    }
    case 'batch': {
      const { period } = record
      const bytes = await read('select b from batch where period = $1', `batch/${period}`, period)
      return bytes && { kind: 'batch', period, bytes }
    }
    case 'enrolment': {
      const value: EnrolmentRecord | undefined = await records(group).findEnrolment(record.name)
      return value && { kind: 'enrolment', name: record.name, value }
    }
    case 'lease': {
      const { name } = record.value
      const text = 'select holder, fence, until from lease where name = $1'
      const [line] = await head.query<Omit<Lease, 'name'>>(text, toKey('lease', name))
      return line && { kind: 'lease', value: inOrder(record.value, { ...line, name }) }
    }
    case 'step': {
      const text = 'select last_day, n from step where name = $1'
      const [line] = await head.query<{ last_day: number; n: number }>(text, toKey('step', record.name))
      return line && { kind: 'step', name: record.name, until: line.last_day, count: line.n }
    }
    case 'record': {
      const bytes = await records(group).record(record.name)
      return bytes && { kind: 'record', name: record.name, bytes }
    }
  }
}

/** The fields in the order of another lease, because digests are of text. */
function inOrder(like: Lease, lease: Lease): Lease {
  return Object.fromEntries(Object.keys(like).map((key) => [key, lease[key as keyof Lease]])) as unknown as Lease
}
