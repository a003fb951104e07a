/**
 * The central store in memory, for simulations and as the simplest description of a store. PROTOCOL.md §8.
 * Nothing survives the process; with a `memoryDisk()` a test can close the store and open it again.
 * Throws STORE_LOCKED, SYNC_CONFLICT.
 */
import { bytesToHex, concatBytes, equalBytes, FederationError, type Pin, ROW_BYTES } from '@geotrace/core-wasm/wire'
import type {
  Attempts,
  CentralStore,
  CodeRecord,
  EnrolmentRecord,
  EpochHashes,
  Lease,
  LeasedWrites,
  MarkList,
  ReportId,
  ReportMarks,
  ReportProgress,
  ReportRecord,
  Slip,
  SyncRecord,
  User,
} from './central-store.ts'
import { epochToDay, timeToDay } from './day.ts'
import { afterStep, assertLast, isNext, leasedWrites, nextLease } from './leases.ts'
import { freshRows, mergeRows, rowsWith, rowsWithout } from './row-set.ts'

const NO_BYTES = new Uint8Array(0)

/** The whole content of a memory store. */
export interface MemoryDisk {
  opened: boolean
  nextUser: User
  nextReport: ReportId
  floor: number
  users: Map<string, User>
  /** UTC days of the first and the last deposit, and the deposits of the last one. */
  people: Map<User, { since: number; seen: number; deposits: number; id: string }>
  /** Keys are `user/syncId`. */
  syncs: Map<string, SyncRecord & { user: User; day: number }>
  attempts: Map<User, Attempts>
  /** Keys are epoch, then user, then sync. */
  rows: Map<number, Map<User, Map<string, Uint8Array>>>
  /** Rows by UTC day. */
  counts: Map<number, number>
  lists: Map<User, MarkList>
  marks: Map<User, Map<ReportId, ReportMarks>>
  reports: Map<ReportId, ReportRecord>
  progress: Map<ReportId, ReportProgress>
  codes: Map<string, CodeRecord>
  pins: Map<number, Pin>
  enrolments: Map<string, EnrolmentRecord>
  /** Keys are period, then report. */
  slips: Map<number, Map<ReportId, Slip & { user: User }>>
  /** By period. */
  batches: Map<number, Uint8Array>
  leases: Map<string, Lease>
  counters: Map<string, { until: number; count: number }>
  records: Map<string, Uint8Array>
}

export function memoryDisk(): MemoryDisk {
  return {
    opened: false,
    nextUser: 1,
    nextReport: 1,
    floor: 0,
    users: new Map(),
    people: new Map(),
    syncs: new Map(),
    attempts: new Map(),
    rows: new Map(),
    counts: new Map(),
    lists: new Map(),
    marks: new Map(),
    reports: new Map(),
    progress: new Map(),
    codes: new Map(),
    pins: new Map(),
    enrolments: new Map(),
    slips: new Map(),
    batches: new Map(),
    leases: new Map(),
    counters: new Map(),
    records: new Map(),
  }
}

/** Opens the disk. Throws STORE_LOCKED when the disk is open already. */
export function memoryStore(disk: MemoryDisk = memoryDisk()): CentralStore {
  if (disk.opened) throw new FederationError('STORE_LOCKED', 'the store is open already', { dir: 'memory' })
  disk.opened = true
  const writes = {
    ...marks(disk),
    ...records(disk),
    closeEpoch: async () => 0,
    dropBefore: async (day: number) => dropBefore(disk, day),
  }
  return {
    capabilities: { writers: 1, hasBackup: false },
    ...users(disk),
    ...deposits(disk),
    ...writes,
    ...leases(disk, writes),
    floor: () => disk.floor,
    statistics: async () => ({
      users: disk.users.size,
      bytes: ROW_BYTES * [...disk.counts.values()].reduce((sum, rows) => sum + rows, 0),
      days: [...disk.counts].map(([day, rows]) => ({ day, rows })).sort((a, b) => a.day - b.day),
    }),
    verify: async () => {},
    backUp: async () => {
      const reason = 'a store in memory has no backup'
      throw new FederationError('COMMAND_INVALID', reason, { reason })
    },
    condition: () => ({ condition: 'sound', parts: [] }),
    close: async () => {
      disk.opened = false
    },
  }
}

function users(disk: MemoryDisk): Pick<CentralStore, 'findUser' | 'addUser' | 'eraseUser'> {
  return {
    findUser: async (id) => disk.users.get(bytesToHex(id)),
    addUser: async (id, generation, day) => {
      const known = disk.users.get(bytesToHex(id))
      if (known !== undefined) return known
      const user = disk.nextUser++
      disk.users.set(bytesToHex(id), user)
      disk.people.set(user, { since: day, seen: day, deposits: 0, id: bytesToHex(id) })
      disk.lists.set(user, { generation, last: 0, entries: [] })
      return user
    },
    eraseUser: async (id) => {
      const user = disk.users.get(bytesToHex(id))
      if (user === undefined) return false
      disk.users.delete(bytesToHex(id))
      for (const held of [disk.people, disk.attempts, disk.lists, disk.marks]) held.delete(user)
      dropSlips(disk, user)
      for (const [key, sync] of disk.syncs) if (sync.user === user) disk.syncs.delete(key)
      for (const [epoch, users] of disk.rows) {
        const parts = users.get(user)
        if (parts !== undefined) count(disk, epoch, -userRows(disk, epoch, user).length / ROW_BYTES)
        users.delete(user)
      }
      return true
    },
  }
}

type DepositMethods = 'findSync' | 'deposit' | 'attempts' | 'userRows' | 'probe' | 'epochs'

function deposits(disk: MemoryDisk): Pick<CentralStore, DepositMethods> {
  const syncKey = (user: User, syncId: Uint8Array): string => `${user}/${bytesToHex(syncId)}`
  const put = (user: User, epoch: number, sync: string, rows: Uint8Array): void => {
    const users = disk.rows.get(epoch) ?? new Map<User, Map<string, Uint8Array>>()
    const syncs = users.get(user) ?? new Map<string, Uint8Array>()
    disk.rows.set(epoch, users.set(user, syncs.set(sync, rows)))
  }
  const takeBack = (user: User, items: readonly EpochHashes[]): void => {
    for (const { epoch, hashes } of items) {
      const before = userRows(disk, epoch, user).length
      for (const [sync, rows] of disk.rows.get(epoch)?.get(user) ?? [])
        put(user, epoch, sync, rowsWithout(rows, hashes))
      if (before > 0) count(disk, epoch, (userRows(disk, epoch, user).length - before) / ROW_BYTES)
    }
  }
  return {
    findSync: async (user, syncId, since = 0) => {
      const known = disk.syncs.get(syncKey(user, syncId))
      return known !== undefined && known.day >= since ? known : undefined
    },
    deposit: async (deposit) => {
      const { user, syncId, digest, basis, day, groups, takenBack = [], perDay } = deposit
      const { attempts, reports = [], code, slip, isWithdrawal = false } = deposit
      const key = syncKey(user, syncId)
      const known = disk.syncs.get(key)
      if (known !== undefined && !equalBytes(known.digest, digest)) {
        throw new FederationError('SYNC_CONFLICT', 'this sync id has another deposit: use a new sync id')
      }
      if (known !== undefined) return 'duplicate'
      const person = disk.people.get(user)
      const made = person !== undefined && person.seen >= day ? person.deposits : 0
      if (made >= perDay) return 'too-many'
      if (code !== undefined && !isOpen(disk, code)) return 'outdated'
      if (attempts !== undefined && !isNext(attempts, disk.attempts.get(user))) return 'outdated'
      takeBack(user, takenBack)
      for (const { epoch, rows } of groups) {
        const { fresh, added } = freshRows(userRows(disk, epoch, user), rows)
        if (fresh.length === 0) continue
        // The caller's bytes may be a part of a frame.
        put(user, epoch, key, fresh.slice())
        count(disk, epoch, added)
      }
      disk.syncs.set(key, { user, syncId, digest, basis, day })
      if (person !== undefined) {
        if (person.seen < day) disk.attempts.delete(user)
        Object.assign(person, { seen: Math.max(person.seen, day), deposits: made + 1 })
      }
      if (attempts !== undefined) disk.attempts.set(user, attempts)
      for (const report of reports) disk.reports.set(report.id, report)
      if (code !== undefined) disk.codes.set(bytesToHex(code.hash), code)
      if (isWithdrawal) dropSlips(disk, user)
      else if (slip !== undefined) {
        const slips = disk.slips.get(slip.period) ?? new Map<ReportId, Slip & { user: User }>()
        disk.slips.set(slip.period, slips.set(slip.report, { report: slip.report, user, bytes: slip.bytes.slice() }))
      }
      return 'stored'
    },
    attempts: async (user) => disk.attempts.get(user),

    userRows: async (epoch, users) => users.map((user) => userRows(disk, epoch, user)),
    probe: async function* (epoch, hashes) {
      for (const [user, syncs] of [...(disk.rows.get(epoch) ?? [])].sort(([a], [b]) => a - b)) {
        const rows = mergeRows(...[...syncs.values()].map((part) => rowsWith(part, hashes)))
        if (rows.length > 0) yield { user, rows }
      }
    },
    epochs: async () => [...disk.rows.keys()].sort((a, b) => a - b),
  }
}

function userRows(disk: MemoryDisk, epoch: number, user: User): Uint8Array {
  return mergeRows(...(disk.rows.get(epoch)?.get(user)?.values() ?? []))
}

/** Adds to the rows of the epoch's day. */
function count(disk: MemoryDisk, epoch: number, rows: number): void {
  const day = epochToDay(epoch)
  disk.counts.set(day, (disk.counts.get(day) ?? 0) + rows)
}

function marks(disk: MemoryDisk): Pick<CentralStore, 'marks' | 'userMarks' | 'markedUsers' | 'putMarks'> {
  return {
    marks: async (user) => disk.lists.get(user),
    userMarks: async (user, report) =>
      [...(disk.marks.get(user)?.values() ?? [])]
        .filter((item) => report === undefined || item.report === report)
        .sort((a, b) => a.report - b.report),
    markedUsers: async (report) =>
      [...disk.marks]
        .filter(([, reports]) => reports.has(report))
        .map(([user]) => user)
        .sort((a, b) => a - b),
    putMarks: async (changes) => {
      for (const { user, changes: reports, list } of changes) {
        if (!disk.lists.has(user)) continue
        disk.lists.set(user, list)
        const held = disk.marks.get(user) ?? new Map<ReportId, ReportMarks>()
        disk.marks.set(user, held)
        for (const item of reports) item.marks.length > 0 ? held.set(item.report, item) : held.delete(item.report)
      }
    },
  }
}

function leases(
  disk: MemoryDisk,
  writes: LeasedWrites,
): Pick<CentralStore, 'acquireLease' | 'renewLease' | 'releaseLease' | 'under' | 'count'> {
  const isLast = ({ name, fence }: Lease): boolean => disk.leases.get(name)?.fence === fence
  const keep = (lease: Lease | undefined): Lease | undefined => {
    if (lease !== undefined) disk.leases.set(lease.name, lease)
    return lease
  }
  return {
    acquireLease: async (name, holder, nowMs, ttlMs) =>
      keep(nextLease(disk.leases.get(name), name, holder, nowMs, ttlMs)),
    renewLease: async (lease, nowMs, ttlMs) => keep(isLast(lease) ? { ...lease, until: nowMs + ttlMs } : undefined),
    releaseLease: async (lease) => void keep(isLast(lease) ? { ...lease, until: 0 } : undefined),
    under: (lease) =>
      leasedWrites(writes, async (write) => {
        assertLast(disk.leases.get(lease.name), lease)
        return await write()
      }),
    count: async (step) => {
      const count = afterStep(disk.counters.get(step.name)?.count ?? 0, step)
      if (count !== undefined) disk.counters.set(step.name, { until: step.until, count })
      return count
    },
  }
}

function isOpen(disk: MemoryDisk, { hash }: CodeRecord): boolean {
  return disk.codes.get(bytesToHex(hash))?.state === 'open'
}

type RecordMethods =
  | 'nextReport'
  | 'reports'
  | 'putReport'
  | 'progress'
  | 'putProgress'
  | 'findCode'
  | 'putCodes'
  | 'closeCode'
  | 'codes'
  | 'findEnrolment'
  | 'putEnrolment'
  | 'pins'
  | 'putPin'
  | 'record'
  | 'putRecord'
  | 'changeRecord'
  | 'slipPeriods'
  | 'takeSlips'
  | 'batchOf'
  | 'closePeriod'
  | 'dropPeriod'

function records(disk: MemoryDisk): Pick<CentralStore, RecordMethods> {
  return {
    nextReport: async () => disk.nextReport++,
    reports: async () => [...disk.reports.values()].sort((a, b) => a.id - b.id),
    putReport: async (report) => void disk.reports.set(report.id, report),
    progress: async () => [...disk.progress.values()].sort((a, b) => a.report - b.report),
    putProgress: async (item) => void disk.progress.set(item.report, item),
    findCode: async (hash) => disk.codes.get(bytesToHex(hash)),
    putCodes: async (codes) => {
      for (const code of codes) disk.codes.set(bytesToHex(code.hash), code)
    },
    closeCode: async (code) => {
      const wasOpen = isOpen(disk, code)
      if (wasOpen) disk.codes.set(bytesToHex(code.hash), code)
      return wasOpen
    },
    codes: async function* () {
      yield* [...disk.codes.values()]
    },
    slipPeriods: async () => [...new Set([...disk.slips.keys(), ...disk.batches.keys()])].sort((a, b) => a - b),
    takeSlips: async (period) => slipsOf(disk, period),
    batchOf: async (period) => disk.batches.get(period),
    closePeriod: async (period, reports) => {
      const known = disk.batches.get(period)
      if (known !== undefined) return known
      const chosen = new Set(reports)
      const slips = slipsOf(disk, period).filter(({ report }) => chosen.has(report))
      const batch = concatBytes(...slips.map(({ bytes }) => bytes))
      disk.batches.set(period, batch)
      disk.slips.delete(period)
      return batch
    },
    dropPeriod: async (period) => {
      disk.slips.delete(period)
      disk.batches.delete(period)
    },
    findEnrolment: async (name) => disk.enrolments.get(bytesToHex(name)),
    putEnrolment: async (name, record, before) => {
      const known = disk.enrolments.get(bytesToHex(name))?.bytes ?? NO_BYTES
      if (!equalBytes(known, before ?? NO_BYTES)) return false
      disk.enrolments.set(bytesToHex(name), { ...record, bytes: record.bytes.slice() })
      return true
    },
    record: async (name) => disk.records.get(name)?.slice(),
    putRecord: async (name, value) => void disk.records.set(name, value.slice()),
    changeRecord: async (name, value, before) => {
      const known = disk.records.get(name)
      if ((known === undefined) !== (before === undefined) || !equalBytes(known ?? value, before ?? value)) return false
      disk.records.set(name, value.slice())
      return true
    },
    pins: async () => [...disk.pins.values()].sort((a, b) => a.epoch - b.epoch),
    putPin: async (pin) => {
      const kept = disk.pins.get(pin.epoch) ?? pin
      disk.pins.set(pin.epoch, kept)
      return kept
    },
  }
}

function slipsOf(disk: MemoryDisk, period: number): Slip[] {
  const slips = [...(disk.slips.get(period)?.values() ?? [])].map(({ report, bytes }) => ({ report, bytes }))
  return slips.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
}

function dropSlips(disk: MemoryDisk, user: User): void {
  for (const [period, slips] of disk.slips) {
    for (const [report, slip] of slips) if (slip.user === user) slips.delete(report)
    if (slips.size === 0) disk.slips.delete(period)
  }
}

function dropBefore(disk: MemoryDisk, day: number): number {
  for (const epoch of disk.rows.keys()) if (epochToDay(epoch) < day) disk.rows.delete(epoch)
  for (const [key, sync] of disk.syncs) if (sync.day < day) disk.syncs.delete(key)
  const kept = <T extends { epoch: number }>(items: readonly T[]): T[] =>
    items.filter(({ epoch }) => epochToDay(epoch) >= day)
  for (const [user, list] of disk.lists) disk.lists.set(user, { ...list, entries: kept(list.entries) })
  for (const reports of disk.marks.values()) {
    for (const { report, marks } of [...reports.values()]) {
      const left = kept(marks)
      left.length > 0 ? reports.set(report, { report, marks: left }) : reports.delete(report)
    }
  }
  for (const epoch of disk.pins.keys()) if (epochToDay(epoch) < day) disk.pins.delete(epoch)
  for (const [name, { until }] of disk.enrolments) if (until < day) disk.enrolments.delete(name)
  for (const [key, { spent, ...code }] of disk.codes) {
    if (timeToDay(code.expiresAt) < day) disk.codes.delete(key)
    else if (spent !== undefined && spent.day < day) disk.codes.set(key, code)
  }
  for (const [user, { seen, id }] of disk.people) {
    if (seen >= day - 1) continue
    disk.users.delete(id)
    for (const held of [disk.people, disk.attempts, disk.lists]) held.delete(user)
  }
  for (const [id, report] of disk.reports) {
    if (epochToDay(report.until) >= day) continue
    disk.reports.delete(id)
    disk.progress.delete(id)
  }
  for (const [name, { until }] of disk.counters) if (until < day) disk.counters.delete(name)
  disk.floor = Math.max(disk.floor, day)
  const gone = [...disk.counts.keys()].filter((item) => item < day)
  for (const item of gone) disk.counts.delete(item)
  return gone.length
}
