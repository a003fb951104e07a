/**
 * The rows of one UTC day in its database. PROTOCOL.md §8. A sync is one blob, and blobs lie in the order of arrival. By
 * its entries a user finds the own blobs. Runs (day-runs.ts) lead from a hash to the blobs of closed epochs. In memory are
 * the numbers of the blobs that no run has yet, and the entries of users who synced lately. Call what changes the rows of
 * a user in that user's turn. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { EPOCHS_PER_DAY, equalBytes, ROW_BYTES } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import {
  blobsOfSync,
  blobsWith,
  blobToAck,
  blobToGroups,
  blobToRows,
  blobToUser,
  countAcknowledged,
  decodeEntry,
  ENTRY_WORDS,
  encodeBlob,
  encodeEntry,
  entriesWithoutRows,
  epochsToBits,
  epochToBit,
  toEntry,
} from '../arrival.ts'
import type { EpochHashes, EpochRows, SyncRecord, User, UserRows } from '../central-store.ts'
import { countRows, freshGroups, joinGroups } from '../row-groups.ts'
import { mergeRows, NO_ROWS, rowsWith, rowsWithout } from '../row-set.ts'
import type { RunEnd } from '../run-bucket.ts'
import { blobsToParts, pairsToParts } from '../run-parts.ts'
import type { Database, Operation } from './database.ts'
import { findBlobs, readRunEnds, writeRuns } from './day-runs.ts'
import { FoundRows, probeToKey } from './found-rows.ts'
import { blobKey, entryKey, keyNumber } from './keys.ts'
import { OpenRows, type PairRoom, pairRoom } from './open-rows.ts'

/** A day counts its rows, and by epoch the blobs that it ever had. */
export const DAY_COUNTS = 1 + EPOCHS_PER_DAY
/** Blobs of one user with rows of one epoch. With 480 rows at most, joining them writes 6 KB an epoch. */
const PARTS_MAX = 8
/** Blobs in one read, of up to 112 KB each. */
const CHUNK = 128
/** A read by key costs as much as two in order. */
const DENSE = 2
/** Words of entries in memory, of all days: 16 MB, the entries of 10,000 people in four days. */
const CACHED_WORDS_MAX = 4_000_000

/** The entries of some users by day and user. The users who were asked for first leave first. */
class EntryCache {
  readonly #entries = new Map<number, Uint32Array>()
  #words = 0

  get(day: number, user: User): Uint32Array | undefined {
    return this.#entries.get(toCacheKey(day, user))
  }
  set(day: number, user: User, entries: Uint32Array): void {
    this.delete(day, user)
    this.#entries.set(toCacheKey(day, user), entries)
    this.#words += entries.length + ENTRY_WORDS
    for (const [key, oldest] of this.#entries) {
      if (this.#words <= CACHED_WORDS_MAX) break
      this.#entries.delete(key)
      this.#words -= oldest.length + ENTRY_WORDS
    }
  }
  delete(day: number, user: User): void {
    const known = this.get(day, user)
    if (known === undefined) return
    this.#entries.delete(toCacheKey(day, user))
    this.#words -= known.length + ENTRY_WORDS
  }
}

function toCacheKey(day: number, user: User): number {
  return (day % 2 ** 20) * 2 ** 32 + user
}

/** The memory that all days share. */
export interface DayMemory {
  readonly entries: EntryCache
  readonly found: FoundRows
  readonly pairs: PairRoom
}

export function dayMemory(): DayMemory {
  return { entries: new EntryCache(), found: new FoundRows(), pairs: pairRoom() }
}

export class DayRows {
  readonly database: Database
  readonly #day: number
  readonly #memory: DayMemory
  #beginning: Promise<void> | undefined
  #loading: Promise<RunEnd[]> | undefined
  /** The blobs below were there at the beginning. */
  #firstBlob = 0
  #nextBlob = 0
  /** By epoch of the day: the rows that no run has. Those of the beginning come with the first probe or closing. */
  readonly #open: OpenRows[]
  /** By epoch of the day: the blobs that were stored since the beginning. */
  readonly #stored = new Array<number>(EPOCHS_PER_DAY).fill(0)
  /** Changes of entries, so that a slow read does not put older ones into the cache. */
  #changes = 0
  /** Changes of the rows of each epoch, so that no answer outlives the rows that it is about. */
  readonly #versions = new Array<number>(EPOCHS_PER_DAY).fill(0)

  constructor(day: number, database: Database, memory: DayMemory) {
    this.#day = day
    this.database = database
    this.#memory = memory
    this.#open = Array.from({ length: EPOCHS_PER_DAY }, () => new OpenRows(memory.pairs))
  }

  /** The number of the user's acknowledged syncs that arrived on this day. */
  async countSyncs(user: User): Promise<number> {
    return countAcknowledged(await this.#entries(user))
  }

  async findSync(user: User, syncId: Uint8Array): Promise<SyncRecord | undefined> {
    const blobs = blobsOfSync(await this.#entries(user), syncId)
    if (blobs.length === 0) return undefined
    for await (const [, blob] of this.#blobs(blobs)) {
      const ack = blobToAck(blob)
      if (ack !== undefined && equalBytes(ack.syncId, syncId)) return ack
    }
    return undefined
  }

  /** The rows of each user in an epoch of this day. */
  async userRows(epoch: number, users: readonly User[]): Promise<Uint8Array[]> {
    const owners: number[] = []
    const numbers: number[] = []
    for (const [i, user] of users.entries()) {
      for (const number of blobsWith(await this.#entries(user), epochToBit(epoch))) {
        numbers.push(number)
        owners.push(i)
      }
    }
    const parts = users.map((): Uint8Array[] => [])
    let n = 0
    for await (const blob of this.#bodies(numbers)) {
      const owner = owners[n++]!
      if (blob !== undefined) parts[owner]!.push(blobToRows(blob, epoch))
    }
    return parts.map((lists) => mergeRows(...lists))
  }

  /** Stores what is new in the groups, and the acknowledgement. Durable when the promise resolves. */
  async put(user: User, groups: readonly EpochRows[], ack?: SyncRecord): Promise<void> {
    const entries = await this.#entries(user)
    const old = blobsWith(entries, epochsToBits(groups))
    // The usual sync: its epochs are new for the user.
    if (old.length === 0)
      return await this.#add({ user, entries, operations: [], groups, ack, added: countBytes(groups) / ROW_BYTES })
    const held: EpochRows[] = []
    const blobs: [number: number, blob: Uint8Array][] = []
    for await (const item of this.#blobs(old)) {
      blobs.push(item)
      held.push(...blobToGroups(item[1]))
    }
    const { fresh, added } = freshGroups(held, groups)
    if (fresh.length === 0 && ack === undefined) return
    const isJoined = fresh.some(({ epoch }) => blobsWith(entries, epochToBit(epoch)).length >= PARTS_MAX)
    if (!isJoined) return await this.#add({ user, entries, operations: [], groups: fresh, ack, added })
    // The old blobs keep their acknowledgements.
    const left = entriesWithoutRows(entries, new Set(old))
    const operations: Operation[] = []
    for (const [number, blob] of blobs) {
      const oldAck = blobToAck(blob)
      const entry = left.find((item) => item[0] === number)
      const [blobBody, entryBody] = [oldAck && encodeBlob(user, [], oldAck), entry && encodeEntry(entry)]
      operations.push({ key: blobKey(number), ...(blobBody && { body: blobBody }) })
      operations.push({ key: entryKey(user, number), ...(entryBody && { body: entryBody }) })
    }
    await this.#add({ user, entries: concat(left), operations, groups: joinGroups([...held, ...fresh]), ack, added })
  }

  /** Removes rows of these hashes. */
  async takeBack(user: User, items: readonly EpochHashes[]): Promise<void> {
    const operations: Operation[] = []
    const removed: EpochRows[] = []
    for await (const [number, blob] of this.#blobs(blobsWith(await this.#entries(user), epochsToBits(items)))) {
      const before = removed.length
      const groups = blobToGroups(blob).map(({ epoch, rows }) => {
        const hashes = items.find((item) => item.epoch === epoch)?.hashes ?? NO_ROWS
        const gone = rowsWith(rows, hashes)
        if (gone.length > 0) removed.push({ epoch, rows: gone })
        return { epoch, rows: rowsWithout(rows, hashes) }
      })
      if (removed.length > before)
        operations.push({ key: blobKey(number), body: encodeBlob(user, groups, blobToAck(blob)) })
    }
    if (operations.length === 0) return
    try {
      await this.database.write(operations, [-countRows(removed)])
    } finally {
      this.#noteChange(items)
    }
    for (const { key } of operations) await this.database.compact(prefixRange(key))
  }

  /** Deletes all blobs and entries of a user. Tables keep the old values, which the user's secret opens. */
  async erase(user: User): Promise<void> {
    const entries = await this.#entries(user)
    if (entries.length === 0) return
    const numbers = Array.from({ length: entries.length / ENTRY_WORDS }, (_, i) => entries[i * ENTRY_WORDS]!)
    const held: EpochRows[] = []
    for await (const [, blob] of this.#blobs(numbers)) held.push(...blobToGroups(blob))
    this.#memory.entries.delete(this.#day, user)
    const operations = numbers.flatMap((number) => [{ key: entryKey(user, number) }, { key: blobKey(number) }])
    try {
      await this.database.write(operations, [-countRows(held)])
    } finally {
      this.#noteChange(held)
    }
    this.#changes++
    this.#memory.entries.delete(this.#day, user)
  }

  async *probe(epoch: number, hashes: Uint8Array): AsyncIterable<UserRows> {
    const { found } = this.#memory
    const version = this.#versions[epoch % EPOCHS_PER_DAY]!
    const key = probeToKey(epoch, hashes)
    const known = found.get(key, version) ?? (await this.#probe(epoch, hashes))
    if (version === this.#versions[epoch % EPOCHS_PER_DAY]) found.set(key, version, known)
    yield* known
  }

  async #probe(epoch: number, hashes: Uint8Array): Promise<UserRows[]> {
    await this.#load()
    // The open blobs before the runs: an epoch that is closed in between then shows its rows in one of the two.
    const numbers = new Set<number>()
    this.#open[epoch % EPOCHS_PER_DAY]!.find(hashes, numbers)
    await findBlobs(this.database, epoch, hashes, numbers)
    const found = new Map<User, Uint8Array[]>()
    for await (const [, blob] of this.#blobs([...numbers].sort((a, b) => a - b))) {
      // A copy, because the rows may be a view of the whole blob.
      const rows = rowsWith(blobToRows(blob, epoch), hashes).slice()
      if (rows.length === 0) continue
      const user = blobToUser(blob)
      const known = found.get(user)
      if (known === undefined) found.set(user, [rows])
      else known.push(rows)
    }
    return [...found].sort(([a], [b]) => a - b).map(([user, lists]) => ({ user, rows: mergeRows(...lists) }))
  }

  /** Puts the rows of an epoch that no run has into a new run. Returns their number. */
  async close(epoch: number): Promise<number> {
    const ends = await this.#load()
    const n = epoch % EPOCHS_PER_DAY
    const open = this.#open[n]!
    const closed = this.#nextBlob
    if (open.below(closed).numbers.length === 0) return 0
    // Afterwards the blobs below the end are durable, or their writes have failed.
    await this.database.write([])
    const { numbers, pairs } = open.below(closed)
    let blobs = pairs === undefined ? 0 : numbers.length
    const onBlob = (): void => void blobs++
    const parts = pairs === undefined ? blobsToParts(epoch, this.#blobs(numbers), onBlob) : pairsToParts(pairs)
    const toEnd = (): RunEnd => ({ closed, covered: ends[n]!.covered + blobs })
    const rows = await writeRuns(this.database, epoch, parts, toEnd)
    ends[n] = toEnd()
    open.removeBelow(closed)
    return rows
  }

  /** Writes a blob with its entry, after other operations of the same write. */
  async #add(added: NewBlob): Promise<void> {
    const { user, entries, operations, groups, ack } = added
    if (groups.length === 0 && ack === undefined) return
    await this.#begin()
    const number = this.#nextBlob++
    const entry = toEntry(number, groups, ack)
    const change = new Array<number>(DAY_COUNTS).fill(0)
    change[0] = added.added
    for (const { epoch, rows } of groups) {
      // Before the write, so that a closing that waits for the write knows of it. A number without a blob does no harm.
      this.#open[epoch % EPOCHS_PER_DAY]!.add(number, rows)
      change[1 + (epoch % EPOCHS_PER_DAY)] = 1
    }
    try {
      await this.database.write(
        [
          ...operations,
          { key: entryKey(user, number), body: encodeEntry(entry), isNew: true },
          { key: blobKey(number), body: encodeBlob(user, groups, ack), isNew: true },
        ],
        change,
      )
      this.#memory.entries.set(this.#day, user, concat([entries, entry]))
      for (const { epoch } of groups) this.#stored[epoch % EPOCHS_PER_DAY]!++
    } catch (error) {
      // The write may be on the disk.
      this.#memory.entries.delete(this.#day, user)
      for (const { epoch } of groups) this.#open[epoch % EPOCHS_PER_DAY]!.forgetRows()
      throw error
    } finally {
      this.#changes++
      this.#noteChange(groups)
    }
  }

  #noteChange(items: readonly { epoch: number }[]): void {
    for (const { epoch } of items) this.#versions[epoch % EPOCHS_PER_DAY]!++
  }

  /** The user's entries, one after the other. */
  async #entries(user: User): Promise<Uint32Array> {
    const known = this.#memory.entries.get(this.#day, user)
    if (known !== undefined) return known
    const changes = this.#changes
    const found: Uint32Array[] = []
    for await (const [key, body] of this.database.entries(prefixRange(entryKey(user))))
      found.push(decodeEntry(keyNumber(key, 1), body))
    const entries = concat(found)
    if (this.#changes === changes) this.#memory.entries.set(this.#day, user, entries)
    return entries
  }

  /** The blobs of these numbers, as far as they exist. */
  async *#blobs(numbers: readonly number[]): AsyncGenerator<[number: number, blob: Uint8Array]> {
    if (isDense(numbers)) return yield* this.#neighbours(new Set(numbers), numbers[0]!, numbers.at(-1)!)
    let n = 0
    for await (const blob of this.#bodies(numbers)) {
      const number = numbers[n++]!
      if (blob !== undefined) yield [number, blob]
    }
  }

  async *#neighbours(
    wanted: ReadonlySet<number>,
    first: number,
    last: number,
  ): AsyncGenerator<[number: number, blob: Uint8Array]> {
    for await (const [key, blob] of this.database.entries({ from: blobKey(first), to: blobKey(last + 1) })) {
      const number = keyNumber(key, 0)
      if (wanted.has(number)) yield [number, blob]
    }
  }

  async *#bodies(numbers: readonly number[]): AsyncGenerator<Uint8Array | undefined> {
    for (let i = 0; i < numbers.length; i += CHUNK)
      yield* await this.database.getMany(numbers.slice(i, i + CHUNK).map((number) => blobKey(number)))
  }

  /** Learns the number of the next blob, which is all that a deposit needs of what earlier processes stored. */
  #begin(): Promise<void> {
    const begin = async (): Promise<void> => {
      const last = await this.database.last(prefixRange(blobKey()))
      if (last !== undefined) this.#firstBlob = keyNumber(last, 0) + 1
      this.#nextBlob = this.#firstBlob
    }
    this.#beginning ??= begin().catch((error) => {
      this.#beginning = undefined
      throw error
    })
    return this.#beginning
  }

  /** Learns which rows no run has. By epoch of the day: the end of the runs. */
  #load(): Promise<RunEnd[]> {
    this.#loading ??= this.#read().catch((error) => {
      this.#loading = undefined
      throw error
    })
    return this.#loading
  }

  async #read(): Promise<RunEnd[]> {
    await this.#begin()
    const ends = await readRunEnds(this.database)
    const [, ...made] = this.database.tally.counts
    if (made.every((count, n) => count - this.#stored[n]! <= ends[n]!.covered)) return ends
    const open: number[][] = ends.map(() => [])
    for await (const [key, body] of this.database.entries(prefixRange(entryKey()))) {
      const [number, bits] = decodeEntry(keyNumber(key, 1), body) as unknown as [number, number]
      if (number >= this.#firstBlob) continue
      for (const [n, { closed }] of ends.entries()) if ((bits >>> n) & 1 && number >= closed) open[n]!.push(number)
    }
    for (const [n, numbers] of open.entries()) this.#open[n]!.addEarlier(numbers.sort((a, b) => a - b))
    return ends
  }
}

interface NewBlob {
  readonly user: User
  /** The entries beside the new one. */
  readonly entries: Uint32Array
  readonly operations: readonly Operation[]
  readonly groups: readonly EpochRows[]
  readonly ack: SyncRecord | undefined
  /** Rows that the user did not have. */
  readonly added: number
}

function countBytes(groups: readonly EpochRows[]): number {
  return groups.reduce((sum, { rows }) => sum + rows.length, 0)
}

/** Whether reading these blobs in order, with those between them, costs less than reading each by its key. */
function isDense(numbers: readonly number[]): boolean {
  return numbers.length > CHUNK && numbers.length * DENSE > numbers.at(-1)! - numbers[0]!
}

function concat(lists: readonly Uint32Array[]): Uint32Array {
  const all = new Uint32Array(lists.reduce((sum, list) => sum + list.length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all
}
