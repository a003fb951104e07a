/**
 * The statements of deposits on one server: a few for any number of deposits. PROTOCOL.md §8. The line of a day is
 * locked by each transaction that adds blobs to it, so that a closing knows which blobs are durable.
 */
import { concatBytes, SYNC_ID_BYTES } from '@geotrace/core-wasm/wire'
import { epochToBit } from '../arrival.ts'
import type { Deposit, User } from '../central-store.ts'
import { epochToDay } from '../day.ts'
import { blobName, openBlob } from './blob.ts'
import type { BlobWrite, HeldBlob, Plan, UserLine } from './deposit-plan.ts'
import { blobTable } from './schema.ts'
import type { Line, Server, Transaction } from './server.ts'
import { pack, type ServerGroup, toBytes } from './server-group.ts'

type UserLines = ReadonlyMap<User, UserLine>

/** The lines of the users; with `for update` no other transaction changes them until this one ends. */
export async function readUserLines(session: Transaction, deposits: readonly Deposit[], lock = ''): Promise<UserLines> {
  const users = deposits.map(({ user }) => user)
  const text = `select usr, seen, made, tried_day, tried from usr where usr = any($1) order by usr ${lock}`
  const lines = await session.query<UserLine>(text, users)
  return new Map(lines.map((line) => [line.usr, line]))
}

/** The days that the deposits write, ascending. */
export function daysOf(deposits: readonly Deposit[], people: UserLines): number[] {
  const days = new Set<number>()
  for (const { user, day, groups } of deposits) {
    days.add(Math.max(day, people.get(user)?.seen ?? 0))
    for (const { epoch } of groups) days.add(epochToDay(epoch))
  }
  return [...days].sort((a, b) => a - b)
}

/** By user and day: the blobs that a deposit adds to or takes from, and the one that acknowledges it. */
export async function readHeld(
  group: ServerGroup,
  server: Server,
  session: Transaction,
  deposits: readonly Deposit[],
  people: UserLines,
): Promise<Map<User, Map<number, HeldBlob[]>>> {
  const held = new Map<User, Map<number, HeldBlob[]>>(deposits.map(({ user }) => [user, new Map()]))
  const since = Math.min(...deposits.map((deposit) => deposit.since))
  const written = new Set(daysOf(deposits, people))
  for (const { takenBack = [] } of deposits) for (const { epoch } of takenBack) written.add(epochToDay(epoch))
  for (const { day } of await session.query<{ day: number }>(
    'select day from day where (day >= $1 or day = any($2)) and day >= $3 order by day',
    since,
    [...written],
    group.floor,
  )) {
    const wanted = deposits.map(({ groups, takenBack = [] }) =>
      [...groups, ...takenBack].reduce(
        (bits, { epoch }) => (epochToDay(epoch) === day ? bits | epochToBit(epoch) : bits),
        0,
      ),
    )
    const lines = await session.query(
      `select found.usr, sync, bits, b from unnest($1::int8[], $2::int4[]) with ordinality as item(usr, wanted, n)
        join ${blobTable(day)} as found on found.usr = item.usr
        where bits & wanted <> 0 or sync = substring($3::bytea, (n - 1)::int4 * ${SYNC_ID_BYTES} + 1, ${SYNC_ID_BYTES})`,
      deposits.map(({ user }) => user),
      wanted,
      concatBytes(...deposits.map(({ syncId }) => syncId)),
    )
    for (const line of lines) addHeld(held.get(line.usr as User)!, day, openHeld(group, server, day, line))
  }
  return held
}

function openHeld(group: ServerGroup, server: Server, day: number, line: Line): HeldBlob {
  return { sync: toBytes(line, 'sync'), bits: line.bits as number, blob: openBlob(group, server, day, line) }
}

function addHeld(held: Map<number, HeldBlob[]>, day: number, item: HeldBlob): void {
  held.set(day, [...(held.get(day) ?? []), item])
}

interface UserWrite extends BlobWrite {
  readonly user: User
}

export async function writePlans(group: ServerGroup, session: Transaction, plans: readonly Plan[]): Promise<void> {
  if (plans.length === 0) return
  // All transactions take the days in one order, so that none waits for another in a circle.
  const days = [...new Set(plans.flatMap((plan) => [...plan.days.keys()]))].sort((a, b) => a - b)
  for (const day of days) {
    const added: UserWrite[] = []
    const changed: UserWrite[] = []
    let lines = 0
    for (const plan of plans) {
      const writes = plan.days.get(day)
      if (writes === undefined) continue
      lines += writes.lines
      added.push(...writes.added.map((write) => ({ ...write, user: plan.user })))
      changed.push(...writes.changed.map((write) => ({ ...write, user: plan.user })))
    }
    await changeBlobs(group, session, day, changed)
    await addBlobs(group, session, day, added, lines)
  }
  const people = plans.map(({ person }) => person)
  await session.query(
    `update usr set seen = item.seen, made = item.made, tried_day = item.tried_day, tried = item.tried
      from unnest($1::int8[], $2::int4[], $3::int4[], $4::int4[], $5::int4[]) as item(usr, seen, made, tried_day, tried)
      where usr.usr = item.usr`,
    people.map(({ usr }) => usr),
    people.map(({ seen }) => seen),
    people.map(({ made }) => made),
    people.map(({ tried_day }) => tried_day),
    people.map(({ tried }) => tried),
  )
}

async function addBlobs(
  group: ServerGroup,
  session: Transaction,
  day: number,
  writes: readonly UserWrite[],
  lines: number,
): Promise<void> {
  const bodies = writes.map(({ user, sync, body }) => group.sealDay(day, blobName(user, sync), body!))
  await session.query(
    `with own as (update day set lines = lines + $1, bytes = bytes + $2 where day = $3 returning gen)
      insert into ${blobTable(day)}
        select usr, substring($4::bytea, (n - 1)::int4 * ${SYNC_ID_BYTES} + 1, ${SYNC_ID_BYTES}), gen, bits,
          substring($5::bytea, at, size)
        from own, unnest($6::int4[], $7::int4[], $8::int8[], $9::int4[]) with ordinality as item(at, size, usr, bits, n)`,
    lines,
    bodies.reduce((sum, { length }) => sum + length, 0),
    day,
    concatBytes(...writes.map(({ sync }) => sync)),
    ...pack(bodies),
    writes.map(({ user }) => user),
    writes.map(({ bits }) => bits),
  )
}

async function changeBlobs(
  group: ServerGroup,
  session: Transaction,
  day: number,
  writes: readonly UserWrite[],
): Promise<void> {
  for (const { user, sync, bits, body } of writes) {
    if (body === undefined)
      await session.query(`delete from ${blobTable(day)} where usr = $1 and sync = $2`, user, sync)
    else
      await session.query(
        `update ${blobTable(day)} set bits = $3, b = $4 where usr = $1 and sync = $2`,
        user,
        sync,
        bits,
        group.sealDay(day, blobName(user, sync), body),
      )
  }
}
