/**
 * Runs of closed epochs in the database of a UTC day. PROTOCOL.md §8. A run leads from a hash to the blobs that may have
 * it, so that a probe reads a few buckets and no whole epoch. The blobs decide: a run may name blobs whose user took a row
 * back, or that are gone, until the day goes. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { type Core, loadCore } from '@geotrace/core-wasm'
import { EPOCHS_PER_DAY, RISK_HASH_BYTES } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import {
  decodeRunIndex,
  encodeRunIndex,
  findNumbers,
  hashToBuckets,
  PAIR_BYTES,
  pairsToBuckets,
  pairsToFences,
  type RunEnd,
  type RunIndex,
} from '../run-bucket.ts'
import type { Database, Operation } from './database.ts'
import { bucketKey, keyNumber, runPrefix } from './keys.ts'

/** Entries in one write or read. */
const CHUNK = 512

/** Writes pairs, in any order, into new runs of an epoch; returns their number. The last run says the end, asked for last. */
export async function writeRuns(
  database: Database,
  epoch: number,
  parts: AsyncIterable<Uint8Array>,
  toEnd: () => RunEnd,
): Promise<number> {
  let run = (await readRuns(database, epoch)).length
  let last: Uint8Array = NO_PAIRS
  let bytes = 0
  for await (const pairs of parts) {
    bytes += pairs.length
    if (last.length > 0) await writeRun(database, epoch, run++, NO_END, last)
    last = pairs
  }
  await writeRun(database, epoch, run, toEnd(), last)
  return bytes / PAIR_BYTES
}

/** The end of the runs of each epoch of the day. */
export async function readRunEnds(database: Database): Promise<RunEnd[]> {
  const ends: RunEnd[] = Array.from({ length: EPOCHS_PER_DAY }, () => NO_END)
  for await (const [key, body] of database.entries(prefixRange(runPrefix()))) {
    const n = keyNumber(key, 0) % EPOCHS_PER_DAY
    const { closed, covered } = decodeRunIndex(body)
    if (closed > ends[n]!.closed) ends[n] = { closed, covered }
  }
  return ends
}

/** Adds the numbers of the blobs that may have one of these hashes (n × 12, ascending) in a closed epoch. */
export async function findBlobs(
  database: Database,
  epoch: number,
  hashes: Uint8Array,
  numbers: Set<number>,
): Promise<void> {
  const runs = await readRuns(database, epoch)
  for (const [n, run] of runs.entries()) await findInRun(database, [epoch, n], run, hashes, numbers)
}

async function findInRun(
  database: Database,
  at: readonly [epoch: number, run: number],
  run: RunIndex,
  hashes: Uint8Array,
  numbers: Set<number>,
): Promise<void> {
  const byBucket = new Map<number, Uint8Array[]>()
  for (let i = 0; i < hashes.length; i += RISK_HASH_BYTES) {
    const hash = hashes.subarray(i, i + RISK_HASH_BYTES)
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
    const bodies = await database.getMany(part.map(([bucket]) => bucketKey(...at, bucket)))
    for (const [j, [, found]] of part.entries()) findNumbers(bodies[j]!, found, numbers)
  }
}

async function readRuns(database: Database, epoch: number): Promise<RunIndex[]> {
  const runs: RunIndex[] = []
  for await (const [, body] of database.entries(prefixRange(runPrefix(epoch)))) runs.push(decodeRunIndex(body))
  return runs
}

const NO_END: RunEnd = { closed: 0, covered: 0 }
const NO_PAIRS = new Uint8Array(0)

let core: Promise<Core> | undefined

/** The index of the run comes last: buckets without an index are the rest of a closing that was killed. */
async function writeRun(
  database: Database,
  epoch: number,
  run: number,
  end: RunEnd,
  unsorted: Uint8Array,
): Promise<void> {
  core ??= loadCore()
  const pairs = (await core).sortRows(unsorted, PAIR_BYTES)
  let chunk: Operation[] = []
  for await (const key of database.keys(prefixRange(bucketKey(epoch, run)))) chunk.push({ key })
  // Only a killed closing leaves buckets, which the new ones replace.
  const isNew = chunk.length === 0
  let n = 0
  for (const body of pairsToBuckets(pairs)) {
    chunk.push({ key: bucketKey(epoch, run, n++), body, isNew })
    if (chunk.length < CHUNK) continue
    await database.write(chunk)
    chunk = []
  }
  chunk.push({ key: runPrefix(epoch, run), body: encodeRunIndex({ ...end, fences: pairsToFences(pairs) }) })
  await database.write(chunk)
}
