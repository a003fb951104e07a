/**
 * Users and their marks on database servers. PROTOCOL.md §8. A user's number says which server has the user. An erasure is
 * one transaction on that server. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY, LEASE_LOST.
 */

import { blobToGroups } from '../arrival.ts'
import type {
  CentralStore,
  EpochRows,
  Lease,
  LeasedWrites,
  MarkChange,
  MarkList,
  ReportId,
  ReportMarks,
  User,
} from '../central-store.ts'
import { decodeMarkList, decodeMarks, encodeMarkList, encodeMarks } from '../codecs.ts'
import { epochToDay } from '../day.ts'
import type { ErasedUsers } from '../erased-users.ts'
import { countRows } from '../row-groups.ts'
import { toUserKey } from '../store-keys.ts'
import { openBlob } from './blob.ts'
import { writeUnder } from './leases.ts'
import { blobTable } from './schema.ts'
import type { Line, Server, Transaction } from './server.ts'
import { pack, type ServerGroup, toBytes } from './server-group.ts'

/** Users in one transaction. */
const CHUNK = 100
/** The first day of an empty list: after all others. */
const NEVER = 0x7fffffff

type UserMethods = 'findUser' | 'addUser' | 'eraseUser' | 'marks' | 'userMarks' | 'markedUsers'

/** With `erased` each erasure is noted there, so that a restored database erases the user again. */
export function users(group: ServerGroup, erased?: ErasedUsers): Pick<CentralStore, UserMethods> {
  const { servers, serverOf } = group
  const findUser = async (id: Uint8Array): Promise<User | undefined> => {
    const key = toUserKey(group.keys.users, id)
    const [line] = await servers[group.placeOf(key)]!.query<{ usr: User }>('select usr from usr where id = $1', key)
    return line?.usr
  }
  return {
    findUser,
    async addUser(id, generation, day) {
      for (;;) {
        const user = (await findUser(id)) ?? (await insertUser(group, toUserKey(group.keys.users, id), generation, day))
        // Undefined: another process added the user meanwhile.
        if (user !== undefined) return user
      }
    },
    async eraseUser(id, day) {
      const user = await findUser(id)
      if (user === undefined) return false
      const key = toUserKey(group.keys.users, id)
      await erased?.note(key, day)
      return await eraseUser(group, user, key, day)
    },
    async marks(user) {
      const server = serverOf(user)
      const [line] = await server.query('select b from list where usr = $1', user)
      return line && decodeMarkList(group.open(server, `list/${user}`, toBytes(line)))
    },
    async userMarks(user, report) {
      const server = serverOf(user)
      const text = 'select report, b from mark where usr = $1 and ($2::int8 is null or report = $2) order by report'
      const lines = await server.query(text, user, report)
      return lines.map((line) => openMarks(group, server, { ...line, usr: user }))
    },
    async markedUsers(report) {
      const found = await Promise.all(
        servers.map((server) => server.query<{ usr: User }>('select usr from mark where report = $1', report)),
      )
      return found
        .flat()
        .map(({ usr }) => usr)
        .sort((a, b) => a - b)
    },
  }
}

async function insertUser(
  group: ServerGroup,
  key: Uint8Array,
  generation: number,
  day: number,
): Promise<User | undefined> {
  const place = group.placeOf(key)
  return await group.servers[place]!.transaction(async (session) => {
    const [line] = await session.query<{ usr: User }>(
      `insert into usr values (nextval('usr_number') * $1::int8 + $2::int8, $3, $4, 0, 0, 0)
        on conflict (id) do nothing returning usr`,
      group.servers.length,
      place,
      key,
      day,
    )
    if (line === undefined) return undefined
    const list = group.seal(`list/${line.usr}`, encodeMarkList({ generation, last: 0, entries: [] }))
    await session.query('insert into list values ($1, $2, $3)', line.usr, NEVER, list)
    await addUsers(session, 1)
    return line.usr
  })
}

/** Adds to the number of users of a server. */
export async function addUsers(session: Transaction, count: number): Promise<void> {
  await session.query("update total set n = n + $1 where name = 'users'", count)
}

/** Erases the users again whose erasure a restored database does not know. Returns how many it still had. */
export async function eraseAgain(group: ServerGroup, erased: ErasedUsers): Promise<number> {
  let count = 0
  for (const { key, day } of await erased.list()) {
    const server = group.servers[group.placeOf(key)]!
    if ((await server.query('select day from erased where id = $1 and day >= $2', key, day)).length > 0) continue
    const [line] = await server.query<{ usr: User }>('select usr from usr where id = $1', key)
    if (line !== undefined && (await eraseUser(group, line.usr, key, day))) count++
    else await noteErased(server, key, day)
  }
  return count
}

/** Notes that the database knows of an erasure. */
export async function noteErased(session: Transaction, key: Uint8Array, day: number): Promise<void> {
  const text = `insert into erased values ($1, $2)
    on conflict (id) do update set day = greatest(erased.day, excluded.day)`
  await session.query(text, key, day)
}

async function eraseUser(group: ServerGroup, user: User, key: Uint8Array, erasedOn: number): Promise<boolean> {
  const server = group.serverOf(user)
  // The slips first: when the rest fails, the user is still found, and the device repeats the erasure.
  await group.head.query('delete from slip where usr = $1', user)
  const days = await group.days(server)
  return await server.transaction(async (session) => {
    // Deposits of the user wait for this line, and find no user afterwards.
    const found = await session.query('delete from usr where usr = $1 returning usr', user)
    if (found.length === 0) return false
    for (const table of ['list', 'mark', 'intent']) await session.query(`delete from ${table} where usr = $1`, user)
    await addUsers(session, -1)
    await noteErased(session, key, erasedOn)
    for (const day of days) await eraseDay(group, server, session, day, user)
    return true
  })
}

async function eraseDay(
  group: ServerGroup,
  server: Server,
  session: Transaction,
  day: number,
  user: User,
): Promise<void> {
  const lines = await session.query(`delete from ${blobTable(day)} where usr = $1 returning usr, sync, bits, b`, user)
  if (lines.length === 0) return
  const held: EpochRows[] = lines.flatMap((line) => blobToGroups(openBlob(group, server, day, line)))
  const bytes = lines.reduce((sum, line) => sum + toBytes(line).length, 0)
  const text = 'update day set lines = lines - $2, bytes = bytes - $3 where day = $1'
  await session.query(text, day, countRows(held), bytes)
}

function openMarks(group: ServerGroup, server: Server, line: Line): ReportMarks {
  const { usr, report } = line as { usr: User; report: number }
  return { report, marks: decodeMarks(group.open(server, `mark/${usr}/${report}`, toBytes(line))) }
}

export function markWrites(group: ServerGroup, lease?: Lease): Pick<LeasedWrites, 'putMarks'> {
  return {
    async putMarks(changes) {
      for (const server of group.servers) {
        const own = changes.filter(({ user }) => group.serverOf(user) === server)
        for (let i = 0; i < own.length || (i === 0 && lease !== undefined); i += CHUNK)
          await writeUnder(group, server, lease, (session) => putMarks(group, session, own.slice(i, i + CHUNK)))
      }
    },
  }
}

async function putMarks(group: ServerGroup, session: Transaction, changes: readonly MarkChange[]): Promise<void> {
  if (changes.length === 0) return
  const users = changes.map(({ user }) => user)
  // A list belongs to a user; an erasure waits, or was before.
  const known = await session.query<{ usr: User }>(
    'select usr from list where usr = any($1) order by usr for update',
    users,
  )
  const own = new Set(known.map(({ usr }) => usr))
  const kept = changes.filter(({ user }) => own.has(user))
  if (kept.length === 0) return
  await session.query(
    `update list set first_day = item.first_day, b = substring($1::bytea, at, size)
      from unnest($2::int4[], $3::int4[], $4::int8[], $5::int4[]) as item(at, size, usr, first_day)
      where list.usr = item.usr`,
    ...pack(kept.map(({ user, list }) => group.seal(`list/${user}`, encodeMarkList(list)))),
    kept.map(({ user }) => user),
    kept.map(({ list }) => firstDay(list.entries)),
  )
  const items = kept.flatMap(({ user, changes: reports }) => reports.map((item) => ({ user, ...item })))
  const gone = items.filter(({ marks }) => marks.length === 0)
  if (gone.length > 0)
    await session.query(
      'delete from mark using unnest($1::int8[], $2::int8[]) as item(usr, report) where mark.usr = item.usr and mark.report = item.report',
      gone.map(({ user }) => user),
      gone.map(({ report }) => report),
    )
  const held = items.filter(({ marks }) => marks.length > 0)
  await insertMarks(
    group,
    session,
    held.map(({ user, report, marks }) => ({ user, report, marks: encodeMarks(marks), firstDay: firstDay(marks) })),
  )
}

interface MarkLine {
  readonly user: User
  readonly report: ReportId
  /** `encodeMarks`. */
  readonly marks: Uint8Array
  readonly firstDay: number
}

export async function insertMarks(group: ServerGroup, session: Transaction, held: readonly MarkLine[]): Promise<void> {
  if (held.length > 0)
    await session.query(
      `insert into mark select usr, report, first_day, substring($1::bytea, at, size)
        from unnest($2::int4[], $3::int4[], $4::int8[], $5::int8[], $6::int4[]) as item(at, size, usr, report, first_day)
        on conflict (usr, report) do update set first_day = excluded.first_day, b = excluded.b`,
      ...pack(held.map(({ user, report, marks }) => group.seal(`mark/${user}/${report}`, marks))),
      held.map(({ user }) => user),
      held.map(({ report }) => report),
      held.map((line) => line.firstDay),
    )
}

/** Removes marks of epochs before a day. */
export async function dropMarks(group: ServerGroup, server: Server, session: Transaction, day: number): Promise<void> {
  const isKept = ({ epoch }: { epoch: number }): boolean => epochToDay(epoch) >= day
  const lines = await session.query<{ usr: User; b: Uint8Array }>(
    'select usr, report, b from mark where first_day < $1 for update',
    day,
  )
  for (const line of lines) {
    const { report, marks } = openMarks(group, server, line as unknown as Line)
    const left = marks.filter(isKept)
    if (left.length === 0) await session.query('delete from mark where usr = $1 and report = $2', line.usr, report)
    else
      await session.query(
        'update mark set first_day = $3, b = $4 where usr = $1 and report = $2',
        line.usr,
        report,
        firstDay(left),
        group.seal(`mark/${line.usr}/${report}`, encodeMarks(left)),
      )
  }
  const lists = await session.query<{ usr: User; b: Uint8Array }>(
    'select usr, b from list where first_day < $1 for update',
    day,
  )
  for (const { usr, b } of lists) {
    const list: MarkList = decodeMarkList(group.open(server, `list/${usr}`, b))
    const entries = list.entries.filter(isKept)
    const body = group.seal(`list/${usr}`, encodeMarkList({ ...list, entries }))
    await session.query('update list set first_day = $2, b = $3 where usr = $1', usr, firstDay(entries), body)
  }
}

/** The first day of marks, by which retention finds them. */
export function firstDay(items: readonly { epoch: number }[]): number {
  return items.reduce((first, { epoch }) => Math.min(first, epochToDay(epoch)), NEVER)
}
