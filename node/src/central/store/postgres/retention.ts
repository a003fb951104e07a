/**
 * Retention on database servers: drops the tables of days, and what belongs to dropped days. PROTOCOL.md §8. Each server
 * has its part in one transaction, after the first server has the floor; a start finishes what a killed process left.
 * Throws STORAGE_FULL, BUSY, LEASE_LOST.
 */
import { byteWriter, EPOCHS_PER_DAY } from '@geotrace/core-wasm/wire'
import type { CodeRecord, Lease, LeasedWrites } from '../central-store.ts'
import { decodeJson, encodeJson } from '../codecs.ts'
import type { ErasedUsers } from '../erased-users.ts'
import { writeUnder } from './leases.ts'
import { codeName } from './records.ts'
import { dropDay } from './schema.ts'
import type { Server, Transaction } from './server.ts'
import { type ServerGroup, toBytes } from './server-group.ts'
import { addUsers, dropMarks } from './users.ts'

export function retentionWrites(
  group: ServerGroup,
  lease?: Lease,
  erased?: ErasedUsers,
): Pick<LeasedWrites, 'dropBefore'> {
  return {
    async dropBefore(day) {
      const gone = new Set<number>()
      for (const server of group.servers) for (const item of await dropOn(group, server, day, lease)) gone.add(item)
      group.floor = Math.max(group.floor, day)
      await group.keys.dropBefore(group.floor)
      await erased?.dropBefore(day)
      return gone.size
    },
  }
}

/**
 * Brings the servers to the floor of the first one, or to that of the keys: a restored database has days whose keys are
 * destroyed.
 */
export async function finishRetention(group: ServerGroup): Promise<void> {
  group.floor = Math.max(group.floor, group.keys.floor())
  for (const server of group.servers) {
    const days = await server.query('select day from day where day < $1', group.floor)
    if (days.length > 0) await dropOn(group, server, group.floor, undefined)
  }
}

/** Returns the days of the server that had rows. */
async function dropOn(group: ServerGroup, server: Server, day: number, lease: Lease | undefined): Promise<number[]> {
  const gone = await writeUnder(group, server, lease, async (session) => {
    if (server === group.head) await dropRecords(group, session, day)
    const lines = await session.query<{ day: number; lines: number }>(
      'select day, lines from day where day < $1 order by day for update',
      day,
    )
    for (const item of lines) await dropDay(session, item.day)
    await session.query('delete from epoch where epoch < $1', day * EPOCHS_PER_DAY)
    await dropMarks(group, server, session, day)
    await dropUsers(session, day)
    await session.query('delete from erased where day < $1', day)
    return lines
  })
  group.forgetDays(server)
  return gone.filter(({ lines }) => lines > 0).map((item) => item.day)
}

/** Users whose last deposit came before the day before. Rows may lie in the day after their arrival. */
async function dropUsers(session: Transaction, day: number): Promise<void> {
  const gone = await session.query<{ usr: number }>('delete from usr where seen < $1 returning usr', day - 1)
  if (gone.length === 0) return
  const users = gone.map(({ usr }) => usr)
  await session.query('delete from list where usr = any($1)', users)
  await session.query('delete from intent where usr = any($1)', users)
  await addUsers(session, -users.length)
}

async function dropRecords(group: ServerGroup, session: Transaction, day: number): Promise<void> {
  const spent = await session.query('select hash, b from code where spent_day < $1 and last_day >= $1 for update', day)
  for (const line of spent) {
    const key = toBytes(line, 'hash')
    const { spent: _, ...code } = decodeJson<CodeRecord>(group.open(group.head, codeName(key), toBytes(line)))
    const body = group.seal(codeName(key), encodeJson(code))
    await session.query('update code set spent_day = null, b = $2 where hash = $1', key, body)
  }
  await session.query('delete from progress where report in (select id from report where last_day < $1)', day)
  for (const table of ['code', 'report', 'enrolment', 'step'])
    await session.query(`delete from ${table} where last_day < $1`, day)
  await session.query('delete from applied where day < $1', day)
  await session.query('delete from pin where epoch < $1', day * EPOCHS_PER_DAY)
  await session.query(
    "insert into setting values ('floor', $1) on conflict (name) do update set b = greatest(setting.b, excluded.b)",
    byteWriter(4).u32(day).finish(),
  )
}
