/** Writes what belongs to no user, from another store (store-copy.ts). Each write may be repeated. Throws STORAGE_FULL, BUSY. */
import { byteWriter } from '@geotrace/core-wasm/wire'
import type { ReportId, User } from '../../central-store.ts'
import type { SourceRecord } from '../../store-source.ts'
import { records, recordWrites, reportCodes } from '../records.ts'
import type { ServerGroup } from '../server-group.ts'

/** The first floor, and the numbers that the next user and the next report get. */
export async function setNumbers(
  { servers, head }: ServerGroup,
  next: { readonly user: User; readonly report: ReportId },
  floor: number,
): Promise<void> {
  for (const server of servers) await server.query("select setval('usr_number', $1, false)", next.user)
  await head.query("select setval('report_number', $1, false)", next.report)
  if (floor > 0)
    await head.query(
      "insert into setting values ('floor', $1) on conflict do nothing",
      byteWriter(4).u32(floor).finish(),
    )
}

export async function insertRecord(group: ServerGroup, record: SourceRecord): Promise<void> {
  const { servers, head, toKey, seal } = group
  const { putReport, putProgress, putRecord } = recordWrites(group)
  switch (record.kind) {
    case 'report':
      return await putReport(record.value)
    case 'progress':
      return await putProgress(record.value)
    case 'record':
      return await putRecord(record.name, record.bytes)
    case 'code':
      return await reportCodes(group).putCodes([record.value])
    case 'pin':
      return void (await records(group).putPin(record.value))
    case 'enrolment':
      return void (await records(group).putEnrolment(record.name, record.value, undefined))
    case 'slip': {
      const { period, report, user, bytes } = record
      const body = seal(`slip/${period}/${report}`, bytes)
      await head.query('insert into slip values ($1, $2, $3, $4) on conflict do nothing', period, report, user, body)
      return
    }
    case 'batch': {
      const body = seal(`batch/${record.period}`, record.bytes)
      await head.query('insert into batch values ($1, $2) on conflict do nothing', record.period, body)
      return
    }
    case 'step': {
      const key = toKey('step', record.name)
      await head.query('insert into step values ($1, $2, $3) on conflict do nothing', key, record.until, record.count)
      return
    }
    case 'lease': {
      const { name, holder, fence, until } = record.value
      const key = toKey('lease', name)
      await head.query('insert into lease values ($1, $2, $3, $4) on conflict do nothing', key, holder, fence, until)
      for (const server of servers)
        await server.query('insert into fence values ($1, $2) on conflict do nothing', key, fence)
    }
  }
}
