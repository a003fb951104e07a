/**
 * Keys of the level store: one letter for the kind, then big-endian numbers, so that entries that are read together are
 * neighbours. PROTOCOL.md §8. No key contains a user's id, because LevelDB may keep keys after their deletion.
 */
import { byteWriter } from '@geotrace/core-wasm/wire'

/** The kinds of entries in `meta`. */
export const KINDS = {
  user: 'u',
  person: 'q',
  seen: 'l',
  sync: 's',
  syncByDay: 't',
  attempts: 'a',
  list: 'p',
  marks: 'm',
  marksByReport: 'n',
  report: 'r',
  progress: 'g',
  code: 'c',
  pin: 'i',
  enrolment: 'e',
  slip: 'v',
  slipByUser: 'w',
  slipBatch: 'b',
  lease: 'h',
  step: 'k',
  record: 'o',
  day: 'd',
  floor: 'f',
  erasing: 'x',
  counter: '#',
} as const
type Kind = keyof typeof KINDS

/** The kind's letter, then each part: a number as u32, bytes unchanged. */
export function metaKey(kind: Kind, ...parts: readonly (number | Uint8Array)[]): Uint8Array {
  const size = parts.reduce<number>((sum, part) => sum + (typeof part === 'number' ? 4 : part.length), 1)
  const writer = byteWriter(size).u8(KINDS[kind].charCodeAt(0))
  for (const part of parts) typeof part === 'number' ? writer.u32(part) : writer.bytes(part)
  return writer.finish()
}

export function isKind(key: Uint8Array, kind: Kind): boolean {
  return key[0] === KINDS[kind].charCodeAt(0)
}

/** The kinds of entries that belong to one user, whose number begins the key. */
const OF_USER: ReadonlySet<number> = new Set(
  ([KINDS.person, KINDS.list, KINDS.attempts, KINDS.sync, KINDS.marks] as const).map((letter) => letter.charCodeAt(0)),
)

/** The user to whom an entry of `meta` belongs. */
export function keyToUser(key: Uint8Array): number | undefined {
  return OF_USER.has(key[0]!) ? keyNumber(key, 0) : undefined
}

/** The n-th u32 after the kind's letter, counted from 0. */
export function keyNumber(key: Uint8Array, n: number): number {
  return new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(1 + 4 * n)
}

/** The kinds of entries in a day's database. */
const [ENTRIES, BLOBS, BUCKETS, RUNS] = [1, 2, 3, 4]

/** The entry by which a user finds a blob: user, number of the blob. Or the prefix of a user's entries, or of all. */
export function entryKey(...parts: readonly number[]): Uint8Array {
  return dayKey(ENTRIES, ...parts)
}

/** The blob of a sync by its number, so that blobs lie in the order of their arrival. Or the prefix of all blobs. */
export function blobKey(...parts: readonly number[]): Uint8Array {
  return dayKey(BLOBS, ...parts)
}

export function isEntry(key: Uint8Array): boolean {
  return key[0] === ENTRIES
}

export function isBlob(key: Uint8Array): boolean {
  return key[0] === BLOBS
}

/** The bucket of a run, or the prefix of its buckets: epoch, run, bucket. */
export function bucketKey(...parts: readonly number[]): Uint8Array {
  return dayKey(BUCKETS, ...parts)
}

/** The index of a run, or the prefix of an epoch's runs: epoch, run. */
export function runPrefix(...parts: readonly number[]): Uint8Array {
  return dayKey(RUNS, ...parts)
}

function dayKey(kind: number, ...parts: readonly number[]): Uint8Array {
  const key = new Uint8Array(1 + 4 * parts.length)
  key[0] = kind
  for (const [n, part] of parts.entries()) for (let i = 0; i < 4; i++) key[1 + 4 * n + i] = part >>> (24 - 8 * i)
  return key
}

/** The body of an entry whose key says everything. */
export const NO_BODY = new Uint8Array(0)
