/**
 * Copies a store of another engine into an empty store on database servers. node/CENTRAL.md "From the directory to
 * PostgreSQL". The mark of the copy says which parts are done, so a copy that was killed goes on. While the mark is
 * there, no peer opens the store. Each write may be repeated. At the end both stores are read whole and compared.
 * Throws COMMAND_INVALID, STORE_MISSING, STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { bytesToHex, equalBytes, utf8 } from '@geotrace/core-wasm/wire'
import { blobToAck, blobToGroups, epochsToBits } from '../../arrival.ts'
import type { User } from '../../central-store.ts'
import { decodeMarkList, decodeMarks } from '../../codecs.ts'
import { countRows } from '../../row-groups.ts'
import { corrupt } from '../../sealed-value.ts'
import { type PartDigest, partDigest, type SourceBlob, type SourceUser, type StoreSource } from '../../store-source.ts'
import { ACKNOWLEDGED, blobName } from '../blob.ts'
import { learnFloor } from '../deposits.ts'
import {
  assertServers,
  closeServers,
  invalidStore,
  openServers,
  readCopyMark,
  removeCopyMark,
  writeCopyMark,
} from '../opening.ts'
import { openRatchetKeys } from '../ratchet-keys.ts'
import { runWrites } from '../runs.ts'
import { blobTable, migrate } from '../schema.ts'
import type { Server } from '../server.ts'
import { pack, type ServerGroup, serverGroup } from '../server-group.ts'
import { firstDay, insertMarks, noteErased } from '../users.ts'
import { insertRecord, setNumbers } from './copied-records.ts'
import { readCopiedBlobs, readCopiedMarks, readCopiedRecord, readCopiedUsers } from './copy-check.ts'
import { type NumberedSource, numberedSource } from './user-numbers.ts'

/** Lines of one statement, and the bytes after which it is sent. */
const LINES_MAX = 500
const BYTES_MAX = 4 << 20

interface CopyInit {
  source: StoreSource
  /** The addresses of the servers, as `central run --store` gets them. */
  urls: readonly string[]
  keyPath: string
  clock: Clock
  random: Random
  /** Called when a part is copied, checked, or was there already. */
  onPart(name: string, step: 'copied' | 'known' | 'checked'): void
}

/** The parts of the copy with their digests, which both stores have. */
export async function copyToPostgres(init: CopyInit): Promise<Record<string, PartDigest>> {
  const { urls, clock, onPart } = init
  const servers = await openServers(urls, clock)
  try {
    const group = await openCopy(servers, init)
    const source = await numberedSource(init.source, servers.length)
    await writeParts(group, source, onPart)
    const digests = await compare(group, source, onPart)
    await removeCopyMark(group)
    return digests
  } finally {
    await closeServers(servers)
  }
}

interface CopyMark {
  /** The state of the source, which must not change. */
  readonly state: string
  readonly done: readonly string[]
}

/** Takes an empty place or an unfinished copy of this source. */
async function openCopy(servers: readonly Server[], init: CopyInit): Promise<ServerGroup> {
  const { source, keyPath, random } = init
  for (const server of servers) await migrate(server)
  const marks = await Promise.all(
    servers.map((server) => server.query("select name from setting where name <> 'floor'")),
  )
  const names = marks.map((lines) => lines.map(({ name }) => name))
  const isCopy = names[0]!.includes('copy')
  if (!isCopy && names.some((known) => known.length > 0))
    invalidStore('the database has a store already; give an empty database, nothing is overwritten')
  const { userSecret, floor } = source
  const keys = await openRatchetKeys(keyPath, random, !isCopy, { userSecret, floor })
  if (!equalBytes(keys.users, userSecret)) invalidStore(`${keyPath} has the keys of another store; name a new file`)
  const group = serverGroup(servers, keys, random)
  const state = await source.state()
  const known = await readMark(group)
  if (known !== undefined && known.state !== state)
    invalidStore('the store in the directory has changed since the copy began; give an empty database and begin again')
  if (known === undefined) await writeMark(group, { state, done: [] })
  await assertServers(group, bytesToHex(random(16)))
  await learnFloor(group)
  return group
}

async function readMark(group: ServerGroup): Promise<CopyMark | undefined> {
  const content = await readCopyMark(group)
  return content && (JSON.parse(Buffer.from(content).toString()) as CopyMark)
}

function writeMark(group: ServerGroup, mark: CopyMark): Promise<void> {
  return writeCopyMark(group, utf8(JSON.stringify(mark)))
}

async function writeParts(group: ServerGroup, source: NumberedSource, onPart: CopyInit['onPart']): Promise<void> {
  const mark = (await readMark(group))!
  const done = new Set(mark.done)
  const part = async (name: string, write: () => Promise<void>): Promise<void> => {
    const isKnown = done.has(name)
    if (!isKnown) await write()
    await writeMark(group, { ...mark, done: [...done.add(name)] })
    onPart(name, isKnown ? 'known' : 'copied')
  }
  await part('numbers', async () => setNumbers(group, await source.next(), source.floor))
  await part('users', () => writeUsers(group, source))
  await part('marks', () => writeMarks(group, source))
  await part('records', async () => {
    for (const { key, day } of await source.erased()) await noteErased(group.servers[group.placeOf(key)]!, key, day)
    for await (const record of source.records()) await insertRecord(group, record)
  })
  for (const day of source.days()) await part(toName(day), () => writeDay(group, source, day))
}

function toName(day: number): string {
  return `day ${day}`
}

/** Collects lines by server, and writes them in statements of a bounded size. */
async function inBatches<T extends { user: User }>(
  group: ServerGroup,
  items: AsyncIterable<T>,
  toBytes: (item: T) => number,
  write: (server: Server, batch: readonly T[]) => Promise<void>,
): Promise<void> {
  const waiting = new Map(group.servers.map((server) => [server, { batch: [] as T[], bytes: 0 }]))
  for await (const item of items) {
    const own = waiting.get(group.serverOf(item.user))!
    own.batch.push(item)
    own.bytes += toBytes(item)
    if (own.batch.length < LINES_MAX && own.bytes < BYTES_MAX) continue
    await write(group.serverOf(item.user), own.batch)
    waiting.set(group.serverOf(item.user), { batch: [], bytes: 0 })
  }
  for (const [server, { batch }] of waiting) if (batch.length > 0) await write(server, batch)
}

async function writeUsers(group: ServerGroup, source: NumberedSource): Promise<void> {
  const counts = new Map(group.servers.map((server) => [server, 0]))
  const write = async (server: Server, batch: readonly SourceUser[]): Promise<void> => {
    counts.set(server, counts.get(server)! + batch.length)
    await server.query(
      `insert into usr select usr, substring($1::bytea, at, size), seen, 0, tried_day, tried
        from unnest($2::int4[], $3::int4[], $4::int8[], $5::int4[], $6::int4[], $7::int4[])
          as item(at, size, usr, seen, tried_day, tried) on conflict do nothing`,
      ...pack(batch.map(({ key }) => key)),
      batch.map(({ user }) => user),
      batch.map(({ seen }) => seen),
      batch.map(({ attempts }) => attempts?.day ?? 0),
      batch.map(({ attempts }) => attempts?.count ?? 0),
    )
    await server.query(
      `insert into list select usr, first_day, substring($1::bytea, at, size)
        from unnest($2::int4[], $3::int4[], $4::int8[], $5::int4[]) as item(at, size, usr, first_day)
        on conflict do nothing`,
      ...pack(batch.map(({ user, list }) => group.seal(`list/${user}`, list))),
      batch.map(({ user }) => user),
      batch.map(({ list }) => firstDay(decodeMarkList(list).entries)),
    )
  }
  await inBatches(group, source.users(), ({ list }) => list.length, write)
  for (const [server, count] of counts) await server.query("update total set n = $1 where name = 'users'", count)
}

async function writeMarks(group: ServerGroup, source: NumberedSource): Promise<void> {
  await inBatches(
    group,
    source.marks(),
    ({ marks }) => marks.length,
    (server, batch) =>
      insertMarks(
        group,
        server,
        batch.map((item) => ({ ...item, firstDay: firstDay(decodeMarks(item.marks)) })),
      ),
  )
}

interface DayTotals {
  lines: number
  bytes: number
  /** Deposits that arrived on the day, by user. */
  readonly made: Map<User, number>
}

/** First all blobs, then the totals that follow from them, then the runs. */
async function writeDay(group: ServerGroup, source: NumberedSource, day: number): Promise<void> {
  const totals = new Map(group.servers.map((server): [Server, DayTotals] => [server, toTotals()]))
  await inBatches(
    group,
    source.blobs(day),
    ({ blob }) => blob.length,
    (server, batch) => writeBlobs(group, server, day, batch, totals.get(server)!),
  )
  for (const [server, { lines, bytes, made }] of totals) {
    await server.query('update day set lines = $2, bytes = $3 where day = $1', day, lines, bytes)
    const users = [...made]
    for (let i = 0; i < users.length; i += LINES_MAX) {
      const chunk = users.slice(i, i + LINES_MAX)
      await server.query(
        `update usr set made = item.made from unnest($1::int8[], $2::int4[]) as item(usr, made)
          where usr.usr = item.usr and usr.seen = $3`,
        chunk.map(([user]) => user),
        chunk.map(([, count]) => count),
        day,
      )
    }
  }
  const { closeEpoch } = runWrites(group)
  for (const epoch of await source.closed(day)) await closeEpoch(epoch)
}

function toTotals(): DayTotals {
  return { lines: 0, bytes: 0, made: new Map() }
}

async function writeBlobs(
  group: ServerGroup,
  server: Server,
  day: number,
  batch: readonly SourceBlob[],
  totals: DayTotals,
): Promise<void> {
  await group.ensureDay(server, day)
  const bits = batch.map(({ user, blob }) => {
    const groups = blobToGroups(blob)
    totals.lines += countRows(groups)
    if (blobToAck(blob) === undefined) return epochsToBits(groups)
    totals.made.set(user, (totals.made.get(user) ?? 0) + 1)
    return epochsToBits(groups) | ACKNOWLEDGED
  })
  const bodies = batch.map(({ user, sync, blob }) => group.sealDay(day, blobName(user, sync), blob))
  totals.bytes += bodies.reduce((sum, { length }) => sum + length, 0)
  const [syncs, syncStarts, syncLengths] = pack(batch.map(({ sync }) => sync))
  await server.query(
    // Generation 1 is that of a day before its first closing.
    `insert into ${blobTable(day)} select usr, substring($1::bytea, sync_at, sync_size), 1, bits,
        substring($2::bytea, at, size)
      from unnest($3::int4[], $4::int4[], $5::int4[], $6::int4[], $7::int8[], $8::int4[])
        as item(sync_at, sync_size, at, size, usr, bits) on conflict do nothing`,
    syncs,
    pack(bodies)[0],
    syncStarts,
    syncLengths,
    ...pack(bodies).slice(1),
    batch.map(({ user }) => user),
    bits,
  )
}

/** Reads both stores whole. Throws STORAGE_CORRUPT for a part that differs. */
async function compare(
  group: ServerGroup,
  source: NumberedSource,
  onPart: CopyInit['onPart'],
): Promise<Record<string, PartDigest>> {
  const digests: Record<string, PartDigest> = {}
  const check = async (name: string, items: AsyncIterable<object>, copied: AsyncIterable<object>): Promise<void> => {
    const [from, to] = [await digestOf(items), await digestOf(copied)]
    if (from.count !== to.count || from.digest !== to.digest)
      corrupt(`${name} of the copy: ${to.count} of ${from.count} entries, or other ones`)
    digests[name] = from
    onPart(name, 'checked')
  }
  await check('users', source.users(), readCopiedUsers(group))
  await check('marks', source.marks(), readCopiedMarks(group))
  await check('records', source.records(), readCopiedRecords(group, source))
  for (const day of source.days()) await check(toName(day), source.blobs(day), readCopiedBlobs(group, day))
  return digests
}

/** Names of records are not in the database, so the source gives them. */
async function* readCopiedRecords(group: ServerGroup, source: NumberedSource): AsyncGenerator<object> {
  for await (const record of source.records()) {
    const copied = await readCopiedRecord(group, record)
    if (copied !== undefined) yield copied
  }
}

async function digestOf(items: AsyncIterable<object>): Promise<PartDigest> {
  const digest = partDigest()
  for await (const item of items) digest.add(item)
  return digest.result()
}
