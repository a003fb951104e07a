/**
 * The buckets of a run: the rows of a closed epoch in pieces of equal size. PROTOCOL.md §8. A row is here (start of the
 * hash, number of a blob), and rows ascend. A run leads from a hash to blobs that may have it. So the first eight bytes of a
 * hash are enough. Among a billion rows, one look in ten billion finds a blob in vain. The first bytes of each bucket, its
 * fence, say where a hash can be. Buckets have equal sizes however the hashes are spread, so nobody who chooses hashes
 * makes one of them large. Pure.
 * A bucket is `n u8 ‖ the n bytes that all its hashes begin with ‖ w u8`, then for each row the rest of the eight bytes and
 * the number in w bytes. An index is `closed u32 ‖ covered u32` and the fences, 6 bytes each.
 */
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'

/** The bytes of a hash that a run keeps. */
export const KEPT_BYTES = 8
/** start of the hash 8 ‖ number u32: the form in which rows are sorted. */
export const PAIR_BYTES = KEPT_BYTES + 4
/** About 1 KB, so that a probe reads little, and the bytes around a value count little. */
const BUCKET_ROWS = 128
const FENCE_BYTES = 6

/** The blobs below `closed` are in the runs of the epoch, up to this one. `covered`: how many had rows of it. */
export interface RunEnd {
  readonly closed: number
  readonly covered: number
}
/** The end of a run, and the fences of its buckets in one piece. */
export interface RunIndex extends RunEnd {
  readonly fences: Uint8Array
}

/** Writes the pair of a row. */
export function setPair(to: Uint8Array, at: number, rows: Uint8Array, start: number, number: number): void {
  for (let i = 0; i < KEPT_BYTES; i++) to[at + i] = rows[start + i]!
  for (let i = 0; i < 4; i++) to[at + KEPT_BYTES + i] = number >>> (24 - 8 * i)
}

/** The buckets of sorted pairs. */
export function* pairsToBuckets(pairs: Uint8Array): Generator<Uint8Array> {
  const size = BUCKET_ROWS * PAIR_BYTES
  for (let at = 0; at < pairs.length; at += size) yield encodeBucket(pairs.subarray(at, at + size))
}

export function pairsToFences(pairs: Uint8Array): Uint8Array {
  const size = BUCKET_ROWS * PAIR_BYTES
  const fences = new Uint8Array(Math.ceil(pairs.length / size) * FENCE_BYTES)
  for (let n = 0; n * size < pairs.length; n++)
    fences.set(pairs.subarray(n * size, n * size + FENCE_BYTES), n * FENCE_BYTES)
  return fences
}

export function encodeRunIndex({ closed, covered, fences }: RunIndex): Uint8Array {
  return byteWriter(8 + fences.length)
    .u32(closed)
    .u32(covered)
    .bytes(fences)
    .finish()
}

export function decodeRunIndex(body: Uint8Array): RunIndex {
  const reader = byteReader(body)
  return { closed: reader.u32(), covered: reader.u32(), fences: reader.bytes(reader.left) }
}

/** The numbers of the buckets that may have a hash. Equal hashes may fill many. */
export function hashToBuckets({ fences }: RunIndex, hash: Uint8Array): [first: number, end: number] {
  const count = fences.length / FENCE_BYTES
  const compare = (n: number): number =>
    Buffer.compare(fences.subarray(n * FENCE_BYTES, (n + 1) * FENCE_BYTES), hash.subarray(0, FENCE_BYTES))
  // A bucket before the first fence that is equal may end with the hash.
  const first = Math.max(0, lowest(count, (n) => compare(n) >= 0) - 1)
  return [first, lowest(count, (n) => compare(n) > 0)]
}

/** Adds the numbers that a bucket has for the starts of these hashes. */
export function findNumbers(bucket: Uint8Array, hashes: Iterable<Uint8Array>, numbers: Set<number>): void {
  const bytes = Buffer.from(bucket.buffer, bucket.byteOffset, bucket.byteLength)
  const shared = bytes[0]!
  const numberBytes = bytes[1 + shared]!
  const rest = KEPT_BYTES - shared
  const [start, width] = [2 + shared, rest + numberBytes]
  const count = (bytes.length - start) / width
  for (const hash of hashes) {
    if (bytes.compare(hash, 0, shared, 1, 1 + shared) !== 0) continue
    const compare = (n: number): number =>
      bytes.compare(hash, shared, KEPT_BYTES, start + n * width, start + n * width + rest)
    for (let n = lowest(count, (i) => compare(i) >= 0); n < count && compare(n) === 0; n++)
      numbers.add(bytes.readUIntBE(start + n * width + rest, numberBytes))
  }
}

function encodeBucket(pairs: Uint8Array): Uint8Array {
  const last = pairs.length - PAIR_BYTES
  let shared = 0
  while (shared < KEPT_BYTES - 1 && pairs[shared] === pairs[last + shared]) shared++
  // The highest byte that any number uses.
  let numberBytes = 4
  const isUnused = (byte: number): boolean => {
    for (let at = byte; at < pairs.length; at += PAIR_BYTES) if (pairs[at] !== 0) return false
    return true
  }
  while (numberBytes > 1 && isUnused(PAIR_BYTES - numberBytes)) numberBytes--
  const rest = KEPT_BYTES - shared
  const bucket = new Uint8Array(2 + shared + (pairs.length / PAIR_BYTES) * (rest + numberBytes))
  bucket[0] = shared
  bucket.set(pairs.subarray(0, shared), 1)
  bucket[1 + shared] = numberBytes
  let to = 2 + shared
  for (let at = 0; at < pairs.length; at += PAIR_BYTES) {
    for (let i = shared; i < KEPT_BYTES; i++) bucket[to++] = pairs[at + i]!
    for (let i = PAIR_BYTES - numberBytes; i < PAIR_BYTES; i++) bucket[to++] = pairs[at + i]!
  }
  return bucket
}

/** The first number from 0 to `end` of which the rising condition holds; `end` when it holds for none below. */
function lowest(end: number, holds: (n: number) => boolean): number {
  let [low, high] = [0, end]
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(middle)) high = middle
    else low = middle + 1
  }
  return low
}
