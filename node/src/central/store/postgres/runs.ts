/**
 * Runs of closed epochs on database servers, each for the users of one server. PROTOCOL.md §8. A run leads from a hash to
 * the users who may have it, so that a probe reads a few buckets and no whole epoch. The blobs decide: a run may name a
 * user who took the row back or was erased. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY, LEASE_LOST.
 */
import { type Core, loadCore } from '@geotrace/core-wasm'
import { RISK_HASH_BYTES } from '@geotrace/core-wasm/wire'
import { epochToBit } from '../arrival.ts'
import type { Lease, LeasedWrites, User } from '../central-store.ts'
import { epochToDay } from '../day.ts'
import {
  decodeRunIndex,
  encodeRunIndex,
  findNumbers,
  hashToBuckets,
  PAIR_BYTES,
  pairsToBuckets,
  pairsToFences,
  type RunIndex,
} from '../run-bucket.ts'
import { blobsToParts } from '../run-parts.ts'
import { openBlob } from './blob.ts'
import { writeUnder } from './leases.ts'
import { blobTable, runTable } from './schema.ts'
import type { Server, Transaction } from './server.ts'
import { pack, type ServerGroup } from './server-group.ts'

/** Buckets in one statement. */
const CHUNK = 512
/** The bucket with the index of its run. */
const INDEX = -1

let core: Promise<Core> | undefined

/** The users of a server that may have one of these hashes (n × 12, ascending) in a closed epoch. */
export async function findUsers(
  group: ServerGroup,
  server: Server,
  epoch: number,
  hashes: Uint8Array,
): Promise<Set<User>> {
  const day = epochToDay(epoch)
  const users = new Set<User>()
  const text = `select run, b from ${runTable(day)} where epoch = $1 and bucket = ${INDEX}`
  for (const line of await server.query<{ run: number; b: Uint8Array }>(text, epoch)) {
    const index = decodeRunIndex(group.openDay(server, day, bucketName(epoch, line.run, INDEX), line.b))
    await findInRun(group, server, [epoch, line.run], index, hashes, users)
  }
  return users
}

async function findInRun(
  group: ServerGroup,
  server: Server,
  [epoch, run]: readonly [number, number],
  index: RunIndex,
  hashes: Uint8Array,
  users: Set<User>,
): Promise<void> {
  const day = epochToDay(epoch)
  const byBucket = new Map<number, Uint8Array[]>()
  for (let i = 0; i < hashes.length; i += RISK_HASH_BYTES) {
    const hash = hashes.subarray(i, i + RISK_HASH_BYTES)
    const [first, end] = hashToBuckets(index, hash)
    for (let bucket = first; bucket < end; bucket++) byBucket.set(bucket, [...(byBucket.get(bucket) ?? []), hash])
  }
  const buckets = [...byBucket.keys()]
  const text = `select bucket, b from ${runTable(day)} where epoch = $1 and run = $2 and bucket = any($3)`
  for (let i = 0; i < buckets.length; i += CHUNK) {
    const lines = await server.query<{ bucket: number; b: Uint8Array }>(text, epoch, run, buckets.slice(i, i + CHUNK))
    for (const { bucket, b } of lines)
      findNumbers(group.openDay(server, day, bucketName(epoch, run, bucket), b), byBucket.get(bucket)!, users)
  }
}

export function runWrites(group: ServerGroup, lease?: Lease): Pick<LeasedWrites, 'closeEpoch'> {
  return {
    async closeEpoch(epoch) {
      let rows = 0
      // Also without rows, so that a lost lease is noticed.
      await writeUnder(group, group.head, lease, async () => {})
      for (const server of group.servers) rows += await closeOn(group, server, epoch, lease)
      return rows
    },
  }
}

async function closeOn(group: ServerGroup, server: Server, epoch: number, lease: Lease | undefined): Promise<number> {
  const day = epochToDay(epoch)
  if (!(await group.hasDay(server, day))) return 0
  const isOpen = `select 1 as n from ${blobTable(day)}
    where gen > coalesce((select closed from epoch where epoch = $1), 0) and bits & $2 <> 0 limit 1`
  if ((await server.query(isOpen, epoch, epochToBit(epoch))).length === 0) return 0
  // Deposits take the line of the day too: those of the generation before are all durable now.
  const [next] = await server.query<{ gen: number }>('update day set gen = gen + 1 where day = $1 returning gen', day)
  if (next === undefined) return 0
  core ??= loadCore()
  const sorter = await core
  return await writeUnder(group, server, lease, async (session) => {
    await session.query('insert into epoch values ($1, 0, 0) on conflict do nothing', epoch)
    const [state] = await session.query<{ closed: number; runs: number }>(
      'select closed, runs from epoch where epoch = $1 for update',
      epoch,
    )
    const { closed, runs } = state!
    const upTo = next.gen - 1
    // Another process has closed the epoch meanwhile.
    if (closed >= upTo) return 0
    let [run, rows, bytes] = [runs, 0, 0]
    for await (const unsorted of blobsToParts(
      epoch,
      arrivals(group, server, session, epoch, [closed, upTo]),
      () => {},
    )) {
      if (unsorted.length === 0) continue
      bytes += await writeRun(group, session, [epoch, run++], sorter.sortRows(unsorted, PAIR_BYTES))
      rows += unsorted.length / PAIR_BYTES
    }
    await session.query('update epoch set closed = $2, runs = $3 where epoch = $1', epoch, upTo, run)
    await session.query('update day set bytes = bytes + $2 where day = $1', day, bytes)
    return rows
  })
}

/** The blobs with rows of an epoch that came in these generations. */
async function* arrivals(
  group: ServerGroup,
  server: Server,
  session: Transaction,
  epoch: number,
  [after, upTo]: readonly [number, number],
): AsyncGenerator<[number: User, blob: Uint8Array]> {
  const day = epochToDay(epoch)
  await session.query(
    `declare arrivals no scroll cursor for select usr, sync, b from ${blobTable(day)}
      where gen > $1 and gen <= $2 and bits & $3 <> 0`,
    after,
    upTo,
    epochToBit(epoch),
  )
  for (let count = CHUNK; count === CHUNK; ) {
    const lines = await session.query(`fetch ${CHUNK} from arrivals`)
    for (const line of lines) yield [line.usr as User, openBlob(group, server, day, line)]
    count = lines.length
  }
}

/** Writes a run, of which bucket −1 is the index. */
async function writeRun(
  group: ServerGroup,
  session: Transaction,
  [epoch, run]: readonly [number, number],
  pairs: Uint8Array,
): Promise<number> {
  const day = epochToDay(epoch)
  let bytes = 0
  const write = async (buckets: readonly [bucket: number, body: Uint8Array][]): Promise<void> => {
    const bodies = buckets.map(([bucket, body]) => group.sealDay(day, bucketName(epoch, run, bucket), body))
    for (const body of bodies) bytes += body.length
    await session.query(
      `insert into ${runTable(day)} select $1, $2, bucket, substring($3::bytea, at, size)
        from unnest($4::int4[], $5::int4[], $6::int4[]) as item(at, size, bucket)`,
      epoch,
      run,
      ...pack(bodies),
      buckets.map(([bucket]) => bucket),
    )
  }
  const index = encodeRunIndex({ closed: 0, covered: 0, fences: pairsToFences(pairs) })
  let chunk: [bucket: number, body: Uint8Array][] = [[INDEX, index]]
  let n = 0
  for (const body of pairsToBuckets(pairs)) {
    chunk.push([n++, body])
    if (chunk.length < CHUNK) continue
    await write(chunk)
    chunk = []
  }
  if (chunk.length > 0) await write(chunk)
  return bytes
}

export function bucketName(epoch: number, run: number, bucket: number): string {
  return `run/${epoch}/${run}/${bucket}`
}
