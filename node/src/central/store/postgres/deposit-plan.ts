/**
 * The changes that a deposit makes on its user's server, decided from the user's line and blobs. PROTOCOL.md §8. The caller has locked
 * the user. Pure.
 */
import { equalBytes, FederationError } from '@geotrace/core-wasm/wire'
import { blobToAck, blobToGroups, encodeBlob, epochToBit } from '../arrival.ts'
import type { CentralStore, Deposit, EpochHashes, EpochRows, User } from '../central-store.ts'
import { byDay } from '../day.ts'
import { isNext } from '../leases.ts'
import { countRows, freshGroups, joinGroups } from '../row-groups.ts'
import { NO_ROWS, rowsWith, rowsWithout } from '../row-set.ts'
import { ACKNOWLEDGED } from './blob.ts'

/** Blobs of one user with rows of one epoch. With 480 rows at most, joining them writes 6 KB an epoch. */
const PARTS_MAX = 8

export type StoredOutcome = Awaited<ReturnType<CentralStore['deposit']>>

/** The line of a user. */
export interface UserLine {
  readonly usr: User
  /** The day of the last deposit, and the deposits of that day. */
  readonly seen: number
  readonly made: number
  readonly tried_day: number
  readonly tried: number
}
/** A blob that the user has, with its size on the server. */
export interface HeldBlob {
  readonly sync: Uint8Array
  readonly blob: Uint8Array
  readonly bits: number
}
/** A blob to write, or to delete without a body. */
export interface BlobWrite {
  readonly sync: Uint8Array
  readonly bits: number
  readonly body?: Uint8Array
}
interface DayWrites {
  /** The change of the number of rows. */
  lines: number
  /** Blobs in the place of held ones. */
  readonly changed: BlobWrite[]
  readonly added: BlobWrite[]
}
export interface Plan {
  readonly outcome: StoredOutcome
  readonly user: User
  readonly person: UserLine
  readonly days: ReadonlyMap<number, DayWrites>
}

/** With `isDecided` only a repetition is refused, because the records of the deposit are durable. */
export function planDeposit(
  deposit: Deposit,
  person: UserLine,
  held: ReadonlyMap<number, readonly HeldBlob[]>,
  isDecided: boolean,
): Plan | Error {
  const { user, syncId, digest, attempts } = deposit
  const refused = (outcome: StoredOutcome): Plan => ({ outcome, user, person, days: new Map() })
  const known = findAck(held, syncId)
  if (known !== undefined && !equalBytes(known.digest, digest))
    return new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
  if (known !== undefined) return refused('duplicate')
  // A clock that goes back gives no further deposits.
  const arrival = Math.max(deposit.day, person.seen)
  const made = person.seen === arrival ? person.made : 0
  const tried = person.tried === 0 ? undefined : { day: person.tried_day, count: person.tried }
  if (!isDecided && made >= deposit.perDay) return refused('too-many')
  if (!isDecided && attempts !== undefined && !isNext(attempts, tried)) return refused('outdated')
  const left = attempts ?? (arrival > person.seen ? undefined : tried)
  return {
    outcome: 'stored',
    user,
    person: { usr: user, seen: arrival, made: made + 1, tried_day: left?.day ?? 0, tried: left?.count ?? 0 },
    days: planDays(deposit, arrival, held),
  }
}

function planDays(
  deposit: Deposit,
  arrival: number,
  held: ReadonlyMap<number, readonly HeldBlob[]>,
): ReadonlyMap<number, DayWrites> {
  const { user, syncId, groups, takenBack = [] } = deposit
  const [added, gone] = [byDay(groups), byDay(takenBack)]
  const days = new Map<number, DayWrites>()
  for (const day of new Set([arrival, ...added.keys(), ...gone.keys()])) {
    const writes: DayWrites = { lines: 0, changed: [], added: [] }
    const blobs = takeBack(user, held.get(day) ?? [], gone.get(day) ?? [], writes)
    const own = planGroups(user, blobs, added.get(day) ?? [], writes)
    const ack = day === arrival ? deposit : undefined
    if (own.length > 0 || ack !== undefined)
      writes.added.push({ sync: syncId, bits: toBits(own, ack !== undefined), body: encodeBlob(user, own, ack) })
    if (writes.added.length > 0 || writes.changed.length > 0) days.set(day, writes)
  }
  return days
}

/** The blobs after rows of them were taken back. */
function takeBack(
  user: User,
  held: readonly HeldBlob[],
  items: readonly EpochHashes[],
  writes: DayWrites,
): readonly HeldBlob[] {
  if (items.length === 0) return held
  const removed: EpochRows[] = []
  const left = held.map((item) => {
    const before = removed.length
    const groups = blobToGroups(item.blob).map(({ epoch, rows }) => {
      const hashes = items.find((wanted) => wanted.epoch === epoch)?.hashes ?? NO_ROWS
      const gone = rowsWith(rows, hashes)
      if (gone.length > 0) removed.push({ epoch, rows: gone })
      return { epoch, rows: rowsWithout(rows, hashes) }
    })
    if (removed.length === before) return item
    const blob = encodeBlob(user, groups, blobToAck(item.blob))
    writes.changed.push({ sync: item.sync, bits: item.bits, body: blob })
    return { ...item, blob }
  })
  writes.lines -= countRows(removed)
  return left
}

/** The groups of the new blob: what is new, and the rows of held blobs when an epoch has too many of them. */
function planGroups(
  user: User,
  held: readonly HeldBlob[],
  groups: readonly EpochRows[],
  writes: DayWrites,
): readonly EpochRows[] {
  if (groups.length === 0) return []
  const old = held.filter(({ bits }) => groups.some(({ epoch }) => (bits & epochToBit(epoch)) !== 0))
  const rows = old.flatMap(({ blob }) => blobToGroups(blob))
  const { fresh, added } = freshGroups(rows, groups)
  writes.lines += added
  const partsOf = (epoch: number): number => old.filter(({ bits }) => (bits & epochToBit(epoch)) !== 0).length
  if (!fresh.some(({ epoch }) => partsOf(epoch) >= PARTS_MAX)) return fresh
  for (const { sync, blob } of old) {
    const ack = blobToAck(blob)
    const at = writes.changed.findIndex((item) => equalBytes(item.sync, sync))
    if (at >= 0) writes.changed.splice(at, 1)
    writes.changed.push({ sync, bits: toBits([], ack !== undefined), ...(ack && { body: encodeBlob(user, [], ack) }) })
  }
  return joinGroups([...rows, ...fresh])
}

function findAck(held: ReadonlyMap<number, readonly HeldBlob[]>, syncId: Uint8Array) {
  for (const blobs of held.values()) {
    const found = blobs.find(({ sync, bits }) => (bits & ACKNOWLEDGED) !== 0 && equalBytes(sync, syncId))
    if (found !== undefined) return blobToAck(found.blob)
  }
  return undefined
}

function toBits(groups: readonly EpochRows[], isAcknowledged: boolean): number {
  return groups.reduce((bits, { epoch }) => bits | epochToBit(epoch), isAcknowledged ? ACKNOWLEDGED : 0)
}
