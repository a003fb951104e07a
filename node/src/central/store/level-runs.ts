/**
 * Runs of closed epochs in the level store. PROTOCOL.md §8. A run leads from a hash to the users who may have it, so that
 * a probe reads a few buckets and no whole epoch. The users' own rows decide: a run may name users who took a row back or
 * erased themselves, until the day goes. Each blob has a mark until a run has its rows. Throws STORAGE_CORRUPT,
 * STORAGE_FULL, BUSY.
 */
import { type Core, loadCore } from '@geotrace/core-wasm'
import { RISK_HASH_BYTES, ROW_BYTES } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../platform/level-handle.ts'
import type { User } from './central-store.ts'
import type { Database, Operation } from './database/database.ts'
import { bucketKey, keyNumber, newRowsPrefix, rowsKey, rowsPrefix, runPrefix } from './keys.ts'
import {
  decodeRunIndex,
  encodeRunIndex,
  findUsers,
  hashToBuckets,
  PAIR_BYTES,
  pairsToBuckets,
  pairsToIndex,
  type RunIndex,
} from './run-bucket.ts'

/** Rows of one run: 32 MB, and twice as much in the sorter. A larger epoch gets several runs. */
const RUN_ROWS_MAX = 1 << 21
/** Entries in one write or read. */
const CHUNK = 512

/** Puts the rows of an epoch that no run has into new runs. Returns their number. */
export async function closeEpoch(database: Database, epoch: number): Promise<number> {
  const open: Uint8Array[] = []
  for await (const key of database.keys(prefixRange(newRowsPrefix(epoch)))) open.push(key)
  if (open.length === 0) return 0
  const runs = await readRuns(database, epoch)
  let next = runs.length
  let rows = 0
  for await (const { pairs, blobs } of collectPairs(database, epoch, open, runs.length === 0)) {
    await writeRun(database, epoch, next++, pairs, blobs)
    rows += pairs.length / PAIR_BYTES
  }
  // The runs are durable. A mark that a kill leaves here only names a user twice.
  for (let i = 0; i < open.length; i += CHUNK) await database.write(open.slice(i, i + CHUNK).map((key) => ({ key })))
  return rows
}

/** The users who may have one of these hashes in a closed epoch, ascending. Undefined when a scan reads less. */
export async function findCandidates(
  database: Database,
  epoch: number,
  hashes: ReadonlySet<string>,
): Promise<User[] | undefined> {
  const users = new Set<User>()
  // Marks before runs: an epoch that is closed in between then shows its rows in one of the two.
  for await (const key of database.keys(prefixRange(newRowsPrefix(epoch)))) users.add(keyNumber(key, 1))
  const runs = await readRuns(database, epoch)
  if (runs.length === 0) return undefined
  const blobs = runs.reduce((sum, run) => sum + run.blobs, 0)
  if (isTooMany(users, blobs)) return undefined
  const wanted = [...hashes].sort().map((key) => Buffer.from(key, 'latin1'))
  for (const [n, run] of runs.entries()) await findInRun({ database, epoch, n, run, wanted, users })
  return isTooMany(users, blobs) ? undefined : [...users].sort((a, b) => a - b)
}

/** The rows of one user cost about as much as this many blobs in a scan, and a few users cost nothing that counts. */
const [READS_PER_USER, FEW_USERS] = [16, 8]

function isTooMany({ size }: ReadonlySet<User>, blobs: number): boolean {
  return size > FEW_USERS && size * READS_PER_USER > blobs
}

interface Search {
  readonly database: Database
  readonly epoch: number
  readonly n: number
  readonly run: RunIndex
  /** Ascending. */
  readonly wanted: readonly Buffer[]
  readonly users: Set<User>
}

async function findInRun({ database, epoch, n, run, wanted, users }: Search): Promise<void> {
  const byBucket = new Map<number, Buffer[]>()
  for (const hash of wanted) {
    const [first, end] = hashToBuckets(run, hash)
    for (let bucket = first; bucket < end; bucket++) {
      const known = byBucket.get(bucket)
      if (known === undefined) byBucket.set(bucket, [hash])
      else known.push(hash)
    }
  }
  const buckets = [...byBucket]
  for (let i = 0; i < buckets.length; i += CHUNK) {
    const part = buckets.slice(i, i + CHUNK)
    const bodies = await database.getMany(part.map(([bucket]) => bucketKey(epoch, n, bucket)))
    for (const [j, [, found]] of part.entries()) findUsers(bodies[j]!, found, users)
  }
}

async function readRuns(database: Database, epoch: number): Promise<RunIndex[]> {
  const runs: RunIndex[] = []
  for await (const [, body] of database.entries(prefixRange(runPrefix(epoch)))) runs.push(decodeRunIndex(body))
  return runs
}

interface Pairs {
  readonly pairs: Uint8Array
  readonly blobs: number
}

/** The rows of the marked blobs as pairs, as many at a time as a run takes. A first closing reads the epoch in order. */
async function* collectPairs(
  database: Database,
  epoch: number,
  open: readonly Uint8Array[],
  isFirst: boolean,
): AsyncGenerator<Pairs> {
  let room = new Uint8Array(CHUNK * PAIR_BYTES)
  let [used, blobs] = [0, 0]
  const source = isFirst ? database.entries(prefixRange(rowsPrefix(epoch))) : markedBlobs(database, open)
  for await (const [key, body] of source) {
    const count = body.length / ROW_BYTES
    if (blobs > 0 && used + count * PAIR_BYTES > RUN_ROWS_MAX * PAIR_BYTES) {
      yield { pairs: room.subarray(0, used), blobs }
      ;[used, blobs] = [0, 0]
    }
    if (used + count * PAIR_BYTES > room.length) {
      const larger = new Uint8Array(2 * room.length + count * PAIR_BYTES)
      larger.set(room)
      room = larger
    }
    for (let i = 0; i < count; i++, used += PAIR_BYTES) {
      room.set(body.subarray(i * ROW_BYTES, i * ROW_BYTES + RISK_HASH_BYTES), used)
      // The user's number stands in the key.
      room.set(key.subarray(5, 9), used + RISK_HASH_BYTES)
    }
    blobs++
  }
  if (used > 0) yield { pairs: room.subarray(0, used), blobs }
}

async function* markedBlobs(
  database: Database,
  open: readonly Uint8Array[],
): AsyncGenerator<[key: Uint8Array, body: Uint8Array]> {
  for (let i = 0; i < open.length; i += CHUNK) {
    const keys = open.slice(i, i + CHUNK).map((key) => rowsKey(keyNumber(key, 0), keyNumber(key, 1), keyNumber(key, 2)))
    const bodies = await database.getMany(keys)
    // A blob may have been joined with others or erased meanwhile.
    for (const [j, key] of keys.entries()) if (bodies[j] !== undefined) yield [key, bodies[j]]
  }
}

let core: Promise<Core> | undefined

/** The index of the run comes last: buckets without an index are the rest of a closing that was killed. */
async function writeRun(
  database: Database,
  epoch: number,
  run: number,
  unsorted: Uint8Array,
  blobs: number,
): Promise<void> {
  core ??= loadCore()
  const pairs = (await core).sortRows(unsorted, PAIR_BYTES)
  let chunk: Operation[] = []
  for await (const key of database.keys(prefixRange(bucketKey(epoch, run)))) chunk.push({ key })
  let n = 0
  for (const body of pairsToBuckets(pairs)) {
    chunk.push({ key: bucketKey(epoch, run, n++), body })
    if (chunk.length < CHUNK) continue
    await database.write(chunk)
    chunk = []
  }
  chunk.push({ key: runPrefix(epoch, run), body: encodeRunIndex(pairsToIndex(pairs, blobs)) })
  await database.write(chunk)
}
