/**
 * Deposits in the level store. PROTOCOL.md §8. A sync is written once, as a blob with its acknowledgement in the database of
 * the day on which it arrives. Rows of another day, and a report with its acknowledgement, are durable before. So the same
 * rows sent again cost little on disk, and no user can make a read of their rows slow. Throws STORAGE_CORRUPT,
 * STORAGE_FULL, BUSY, SYNC_CONFLICT.
 */
import { type Turns, turns } from '@geotrace/core-wasm'
import { boundedMap, bytesToHex, equalBytes, FederationError } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import type { Attempts, CentralStore, CodeRecord, Deposit, SyncRecord, User } from '../central-store.ts'
import { decodeJson, decodePair, decodeSync, decodeUser, encodePair, encodeSync, encodeUser } from '../codecs.ts'
import { byDay, dayToEpochs, epochToDay } from '../day.ts'
import { isNext } from '../leases.ts'
import { NO_ROWS } from '../row-set.ts'
import type { Database, Operation } from './database.ts'
import type { DayDatabases } from './day-databases.ts'
import { keyNumber, metaKey, NO_BODY } from './keys.ts'
import type { LevelSlips } from './level-slips.ts'
import type { UserSecrets } from './user-secrets.ts'

/** Users whose last day is in memory: some 6 MB. */
const SEEN_MAX = 100_000

interface DepositsInit {
  meta: Database
  days: DayDatabases
  perUser: Turns<User>
  codes: OpenCodes
  slips: LevelSlips
  secrets: UserSecrets
  /** Users with an acknowledgement in `meta` (readReporters), so that the syncs of all others need no look there. */
  reporters: Set<User>
  /** The operations that keep the records of a deposit's reports and code. */
  toRecords(deposit: Deposit): Operation[]
}

/** The users with syncs that changed or tried to change a report, as long as their acknowledgements are kept. */
export async function readReporters(meta: Database): Promise<Set<User>> {
  const users = new Set<User>()
  for await (const key of meta.keys(prefixRange(metaKey('sync')))) users.add(keyNumber(key, 0))
  return users
}

/** Ends the validity of codes, each one once. */
export interface OpenCodes {
  /** Runs the task while the code is open; false when it is not. Other tasks of this code wait. */
  close(code: Pick<CodeRecord, 'hash'>, task: () => Promise<void>): Promise<boolean>
}

export function openCodes(meta: Database): OpenCodes {
  const perCode = turns<string>(1)
  return {
    close: ({ hash }, task) =>
      perCode.run(bytesToHex(hash), async () => {
        const body = await meta.get(metaKey('code', hash))
        if (body === undefined || decodeJson<CodeRecord>(body).state !== 'open') return false
        await task()
        return true
      }),
  }
}

export function levelDeposits(init: DepositsInit) {
  const { meta, days, perUser, codes } = init
  const lastDays = userDays(meta)
  /** `meta` has the acknowledgements of syncs with records, beside these records. */
  const findSync = async (user: User, syncId: Uint8Array, since = 0): Promise<SyncRecord | undefined> => {
    for (const day of days.days()) {
      const known = day < since ? undefined : await days.get(day)?.findSync(user, syncId)
      if (known !== undefined) return known
    }
    if (!init.reporters.has(user)) return undefined
    const body = await meta.get(metaKey('sync', user, syncId))
    return body === undefined ? undefined : decodeSync(syncId, body)
  }
  const attempts = async (user: User): Promise<Attempts | undefined> => {
    const body = await meta.get(metaKey('attempts', user))
    if (body === undefined) return undefined
    const [day, count] = decodePair(body)
    return { day, count }
  }

  return {
    findSync,
    deposit: (deposit) =>
      perUser.run(deposit.user, async () => {
        const { user, syncId, digest, code } = deposit
        const known = await findSync(user, syncId, deposit.since)
        if (known !== undefined && !equalBytes(known.digest, digest)) {
          throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
        }
        if (known !== undefined) return 'duplicate'
        const seen = await lastDays.get(user)
        // A clock that goes back gives no further deposits.
        const arrival = Math.max(deposit.day, seen)
        if (((await days.get(arrival)?.countSyncs(user)) ?? 0) >= deposit.perDay) return 'too-many'
        const operations = seen < arrival ? await lastDays.toOperations(user, arrival) : []
        const store = async (): Promise<void> => {
          await write(init, deposit, arrival, operations)
          lastDays.note(user, arrival)
        }
        if (deposit.attempts !== undefined && !isNext(deposit.attempts, await attempts(user))) return 'outdated'
        if (code !== undefined) return (await codes.close(code, store)) ? 'stored' : 'outdated'
        await store()
        return 'stored'
      }),
    attempts,
    userRows: async (epoch, users) =>
      (await days.get(epochToDay(epoch))?.userRows(epoch, users)) ?? users.map(() => NO_ROWS),
    probe: async function* (epoch, hashes) {
      const day = days.get(epochToDay(epoch))
      if (day !== undefined) yield* day.probe(epoch, hashes)
    },
    epochs: async () => days.days().flatMap(dayToEpochs),
    closeEpoch: async (epoch) => (await days.get(epochToDay(epoch))?.close(epoch)) ?? 0,
  } satisfies Partial<CentralStore>
}

/** Writes what the sync changes, then its acknowledgement on the day of arrival. */
async function write(
  { meta, days, slips, secrets, reporters, toRecords }: DepositsInit,
  deposit: Deposit,
  arrival: number,
  seen: readonly Operation[],
): Promise<void> {
  const { user, groups, takenBack = [] } = deposit
  for (const [day, items] of byDay(takenBack)) await days.get(day)?.takeBack(user, items)
  await secrets.make(deposit.user)
  const parts = byDay(groups)
  const own = parts.get(arrival) ?? []
  parts.delete(arrival)
  // Wait for every day, because a repetition that starts during a write would store its rows twice.
  const writes = await Promise.allSettled(
    [...parts].map(async ([day, items]) => (await days.ensure(day)).put(user, items)),
  )
  for (const item of writes) if (item.status === 'rejected') throw item.reason
  const { attempts, reports, code } = deposit
  if (attempts === undefined && reports === undefined && code === undefined) {
    if (seen.length > 0) await meta.write(seen)
    return await (await days.ensure(arrival)).put(user, own, deposit)
  }
  const day = await days.ensure(arrival)
  await day.put(user, own)
  // Before the write, which may be on the disk although it failed.
  reporters.add(user)
  const operations = [...seen, ...acknowledgement(deposit, arrival), ...toRecords(deposit)]
  if (deposit.isWithdrawal === true) await slips.deleteOf(user, (gone) => meta.write([...operations, ...gone]))
  else await meta.write([...operations, ...slips.toOperations(deposit)])
  await day.put(user, [], deposit)
}

/** The UTC day of each user's last deposit. */
function userDays(meta: Database) {
  const known = boundedMap<User, number>(SEEN_MAX)
  return {
    /** 0 for a user without a record. */
    async get(user: User): Promise<number> {
      const seen = known.get(user)
      if (seen !== undefined) return seen
      const body = await meta.get(metaKey('person', user))
      return body === undefined ? 0 : decodeUser(body).seen
    },
    /** The operations that set the last day, and forget attempts of earlier days. */
    async toOperations(user: User, day: number): Promise<Operation[]> {
      const key = metaKey('person', user)
      const body = await meta.get(key)
      if (body === undefined) return []
      const person = decodeUser(body)
      return [
        { key, body: encodeUser({ ...person, seen: day }) },
        { key: metaKey('seen', person.seen, user) },
        { key: metaKey('seen', day, user), body: NO_BODY },
        { key: metaKey('attempts', user) },
      ]
    },
    note: (user: User, day: number) => void known.set(user, day),
  }
}

function acknowledgement(deposit: Deposit, day: number): Operation[] {
  const { user, syncId, attempts } = deposit
  const operations: Operation[] = [
    { key: metaKey('sync', user, syncId), body: encodeSync({ ...deposit, day }) },
    { key: metaKey('syncByDay', day, user, syncId), body: NO_BODY },
  ]
  if (attempts !== undefined) {
    operations.push({ key: metaKey('attempts', user), body: encodePair(attempts.day, attempts.count) })
  }
  return operations
}
