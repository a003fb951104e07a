/**
 * The tables of the central store on PostgreSQL, and their migrations. PROTOCOL.md §8. They need only
 * statements that the distributed descendants of PostgreSQL know too. So there are no triggers, advisory locks,
 * notifications or prepared transactions. Each UTC day has tables of its own, so that retention drops tables. Throws STORE_MISSING, STORAGE_CORRUPT, COMMAND_INVALID, BUSY.
 */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { Server, Transaction } from './server.ts'

/** The statements that lead from one version to the next. A server has the number of those that it ran. */
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    'create table setting (name text primary key, b bytea not null)',
    // Users of this server. `made`: deposits on the day `seen`. `tried`: attempts on `tried_day`.
    `create table usr (usr int8 primary key, id bytea not null unique, seen int4 not null, made int4 not null,
      tried_day int4 not null, tried int4 not null) with (fillfactor = 80)`,
    'create sequence usr_number',
    'create table list (usr int8 primary key, first_day int4 not null, b bytea not null)',
    // `first_day`: the first day of its marks, by which retention finds it.
    'create table mark (usr int8 not null, report int8 not null, first_day int4 not null, b bytea not null, primary key (usr, report))',
    'create index mark_report on mark (report, usr)',
    'create table total (name text primary key, n int8 not null)',
    "insert into total values ('users', 0)",
    'create table day (day int4 primary key, gen int4 not null, lines int8 not null, bytes int8 not null) with (fillfactor = 50)',
    'create table epoch (epoch int4 primary key, closed int4 not null, runs int4 not null)',
    'create table intent (usr int8 not null, sync bytea not null, b bytea not null, primary key (usr, sync))',
    'create table fence (name bytea primary key, fence int8 not null)',
    // The first server also has what belongs to no user.
    'create sequence report_number',
    'create table report (id int8 primary key, last_day int4 not null, b bytea not null)',
    'create table progress (report int8 primary key, b bytea not null)',
    'create table code (hash bytea primary key, is_open bool not null, last_day int4 not null, spent_day int4, b bytea not null)',
    'create table pin (epoch int4 primary key, b bytea not null)',
    'create table enrolment (name bytea primary key, last_day int4 not null, b bytea not null)',
    'create table slip (period int8 not null, report int8 not null, usr int8 not null, b bytea not null, primary key (period, report))',
    'create index slip_usr on slip (usr)',
    'create table batch (period int8 primary key, b bytea not null)',
    'create table lease (name bytea primary key, holder text not null, fence int8 not null, until int8 not null)',
    'create table step (name bytea primary key, last_day int4 not null, n int8 not null)',
    'create table record (name bytea primary key, b bytea not null)',
    'create table applied (usr int8 not null, sync bytea not null, day int4 not null, primary key (usr, sync))',
  ],
  // The erasures that this database knows of, by the key of the user: a restored one lacks the newest.
  ['create table erased (id bytea primary key, day int4 not null)'],
]

/** The version of the tables; 0 for a database without a store. */
export async function readVersion(server: Server): Promise<number> {
  const [found] = await server.query<{ n: number }>(
    "select count(*)::int4 as n from information_schema.tables where table_schema = current_schema() and table_name = 'migration'",
  )
  if (found?.n !== 1) return 0
  const [last] = await server.query<{ version: number }>('select coalesce(max(version), 0) as version from migration')
  return last!.version
}

/** Runs the migrations that are missing, each one in a transaction. Of two processes the second waits, and has none left. */
export async function migrate(server: Server): Promise<void> {
  if ((await readVersion(server)) === 0)
    await server.transaction(
      (session) => session.query('create table if not exists migration (version int4 primary key)') as Promise<unknown>,
    )
  const version = await readVersion(server)
  if (version > MIGRATIONS.length) {
    const text = `${server.name} has the tables of a newer version of Geo Trace; update this program`
    throw new FederationError('COMMAND_INVALID', text, { reason: text })
  }
  for (let next = version + 1; next <= MIGRATIONS.length; next++) {
    await server.transaction(async (session) => {
      const made = await session.query(
        'insert into migration values ($1) on conflict do nothing returning version',
        next,
      )
      if (made.length > 0) for (const statement of MIGRATIONS[next - 1]!) await session.query(statement)
    })
  }
}

/** Makes the tables of a UTC day. */
export async function createDay(server: Server, day: number): Promise<void> {
  await server.transaction(async (session) => {
    const made = await session.query('insert into day values ($1, 1, 0, 0) on conflict do nothing returning day', day)
    if (made.length === 0) return
    await session.query(`create table ${blobTable(day)} (usr int8 not null, sync bytea not null, gen int4 not null,
      bits int4 not null, b bytea not null, primary key (usr, sync))`)
    await session.query(`create index ${blobTable(day)}_gen on ${blobTable(day)} (gen)`)
    // A blob of some kilobytes stays beside its key.
    await session.query(`alter table ${blobTable(day)} alter column b set storage main`)
    await session.query(`create table ${runTable(day)} (epoch int4 not null, run int4 not null, bucket int4 not null,
      b bytea not null, primary key (epoch, run, bucket))`)
    await session.query(`alter table ${runTable(day)} alter column b set storage external`)
  })
}

export async function dropDay(session: Transaction, day: number): Promise<void> {
  await session.query(`drop table ${blobTable(day)}, ${runTable(day)}`)
  await session.query('delete from day where day = $1', day)
}

/** One line for each sync of a user with rows of this day, or that arrived on it. `bits`: arrival.ts. */
export function blobTable(day: number): string {
  return `blob_${day}`
}

/** The buckets of the runs of a day's epochs. Bucket −1 is the index of a run. */
export function runTable(day: number): string {
  return `run_${day}`
}
