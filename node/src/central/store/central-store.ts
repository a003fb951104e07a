/**
 * The interface of the central peer's store: all that the peer keeps on disk. PROTOCOL.md §7.2, §8. Types only.
 * Another implementation (PostgreSQL on several servers) must pass test/central/store/conformance.ts. When a promise
 * resolves, its change is durable.
 * Throws STORE_MISSING, STORE_LOCKED, STORAGE_CORRUPT, SYNC_CONFLICT, LEASE_LOST.
 */
import type { Mark, Pin } from '@geotrace/core-wasm/wire'

/** A user's number in this store: a u32 that is never used again. The store cannot turn it back into SHA-256(secret). */
export type User = number
/** A report's number in this store, counted from 1. */
export type ReportId = number

/** Some rows of one user and epoch, as bytes (row-set.ts): n × (hash 12 ‖ meta u8), ascending, each hash once. */
export interface EpochRows {
  readonly epoch: number
  readonly rows: Uint8Array
}
/** Hashes of one user's rows in an epoch: n × 12, ascending. */
export interface EpochHashes {
  readonly epoch: number
  readonly hashes: Uint8Array
}
/** The rows of one user that a probe found. */
export interface UserRows {
  readonly user: User
  readonly rows: Uint8Array
}

/** The acknowledgement of a sync. The peer answers a repeated sync from it. */
export interface SyncRecord {
  readonly syncId: Uint8Array
  /** SHA-256 of the deposited content. */
  readonly digest: Uint8Array
  /** The part of the reply other than marks; the store does not read these bytes. */
  readonly basis: Uint8Array
}

/** The number of report codes that one user presented on a day. A deposit that counts another one has the next number. */
export interface Attempts {
  readonly day: number
  readonly count: number
}

type CodeState = 'open' | 'spent' | 'revoked'
/** The record of a report code. The code itself is never stored. */
export interface CodeRecord {
  /** Hash of the code's ten bytes (`codeToHash`). */
  readonly hash: Uint8Array
  readonly issuedAt: number
  readonly expiresAt: number
  /** First and last epoch whose rows count; undefined: from the start of retention, until the report's last. */
  readonly from?: number
  readonly until?: number
  /** UTC day of the test, as the authority knows it. */
  readonly testDay?: number
  /** The order that the code came with, its label, and the account that gave the order. */
  readonly batch?: string
  readonly label?: string
  readonly worker?: string
  readonly state: CodeState
  /** The user that spent the code, with the sync, the report and the UTC day. Retention removes it. */
  readonly spent?: {
    readonly user: User
    readonly syncId: Uint8Array
    readonly report: ReportId
    readonly day: number
  }
}

export interface ReportRecord {
  readonly id: ReportId
  readonly user: User
  readonly at: number
  /** First and last epoch whose rows count. A device may say a later `from`, and ends its report when it has recovered. */
  readonly from: number
  readonly until: number
  /** UTC day of the test, as the device said it. */
  readonly testDay?: number
  /** When the reporter recovered, Unix ms. The marks stay, and the reporter gets marks again. */
  readonly recoveredAt?: number
  /** `held`: waits for the authority. `active`: gives marks. `rejected` and `retracted`: gives none. */
  readonly state: 'held' | 'active' | 'rejected' | 'retracted'
  /** When the authority published it, Unix ms. The circuit breaker does not stop it then. */
  readonly approvedAt?: number
  /** The reporter withdrew it, so the authority cannot bring it back. */
  readonly isWithdrawn?: true
  /** The batch of the code. */
  readonly batch?: string
  /** Why the authority rejected or retracted it. */
  readonly reason?: string
}

/** How far the marks of a report are. risk/computation.ts makes these records. */
export interface ReportProgress {
  readonly report: ReportId
  /** The settings and dates that the stored marks follow from; undefined while they are those of none or of two. */
  readonly computed?: string
  /** A computation under `basis` has written the users up to `after`. */
  readonly partial?: { readonly basis: string; readonly after: User }
  /** Starts of the process since a computation last ended. */
  readonly tries?: number
  /** Only these degrees are computed, because the next one exceeds a bound, or the process did not survive it. */
  readonly quarantine?: { readonly degrees: number; readonly bound: string; readonly scope: string }
  /** The circuit breaker stopped the report, because it would mark so many people. */
  readonly stopped?: { readonly people: number; readonly scope: string }
  /** People marked at degree 1, 2 and so on by the last computation. */
  readonly people?: readonly number[]
  /** The name and the signed version of the profile of the last computation. */
  readonly profile?: { readonly name: string; readonly version: number }
  /** When all marks were written for the first time, Unix ms. */
  readonly publishedAt?: number
}

/** One sync to store. */
export interface Deposit extends SyncRecord {
  readonly user: User
  /** UTC day of arrival. The store keeps the acknowledgement as long as rows of that day. */
  readonly day: number
  /** Rows to remove, whatever their lags, before `groups` are added. Unknown ones are ignored. */
  readonly takenBack?: readonly EpochHashes[]
  /** Ascending by epoch. The store copies the rows. */
  readonly groups: readonly EpochRows[]
  /** The sync cannot have arrived before this UTC day, so no acknowledgement of an earlier day is its own. */
  readonly since: number
  /** Deposits that the store takes from this user on a day. */
  readonly perDay: number
  /** Become durable in the same write as the acknowledgement, or not at all. */
  readonly attempts?: Attempts
  readonly reports?: readonly ReportRecord[]
  /** The record of an open code that this deposit spends. */
  readonly code?: CodeRecord
  /** The slip of one of `reports`, in the place of an earlier one of this period. */
  readonly slip?: Slip & { readonly period: number }
  /** True: all slips of the user are deleted. */
  readonly isWithdrawal?: boolean
}

/** A mark with its place in the order in which the user reads marks. */
interface MarkEntry extends Mark {
  readonly sequence: number
}
/** The marks of one user over all reports, the most severe of each hash. risk/mark-list.ts makes the list. */
export interface MarkList {
  readonly generation: number
  /** Highest sequence given so far in this generation. */
  readonly last: number
  /** Ascending by sequence. */
  readonly entries: readonly MarkEntry[]
}
export interface ReportMarks {
  readonly report: ReportId
  readonly marks: readonly Mark[]
}
/** New marks of a user by report (an empty list removes them), with the user's list that follows from them. */
export interface MarkChange {
  readonly user: User
  readonly changes: readonly ReportMarks[]
  readonly list: MarkList
}

export interface DayStatistics {
  readonly day: number
  /** Rows without those of erased users. */
  readonly rows: number
}
interface StoreStatistics {
  readonly users: number
  /** Bytes of all keys and values. The files of a store on a disk are some percent larger. */
  readonly bytes: number
  readonly days: readonly DayStatistics[]
}

/** `full` and `failed`: a write failed, and a database is not open again yet. `damaged`: a read found damage. */
export type Condition = 'sound' | 'full' | 'failed' | 'damaged'
export interface StoreCondition {
  readonly condition: Condition
  /** The names of the parts that are not sound. */
  readonly parts: readonly string[]
}

/** A reporter's sealed contribution to the spread: 104 bytes, which the store does not read. */
export interface Slip {
  readonly report: ReportId
  readonly bytes: Uint8Array
}

/** A record of the issuance of tokens, by a name of 32 bytes. The store does not read its bytes. */
export interface EnrolmentRecord {
  readonly bytes: Uint8Array
  /** The last UTC day on which the record counts. */
  readonly until: number
}

/** Differences between stores that callers must know. */
interface StoreCapabilities {
  /** How many processes may have the store open. A second opening of a store for one is STORE_LOCKED. */
  readonly writers: 1 | 'many'
  readonly hasBackup: boolean
}

type DepositOutcome = 'stored' | 'duplicate' | 'too-many' | 'outdated'

/** A right that one process has at a time. Each time that it is given, its fence is higher. */
export interface Lease {
  readonly name: string
  /** The process that has it. */
  readonly holder: string
  readonly fence: number
  /** Unix ms, from which another process may take it. */
  readonly until: number
}
/** One more step toward a bound that all processes share. */
export interface CountedStep {
  readonly name: string
  /** Retention deletes the counter with this UTC day. */
  readonly until: number
  readonly add: number
  readonly max: number
}
/** Writes that only the holder of a lease makes. */
export type LeasedWrites = Pick<
  CentralStore,
  'putMarks' | 'putProgress' | 'putReport' | 'putRecord' | 'closeEpoch' | 'dropBefore'
>

export interface CentralStore {
  readonly capabilities: StoreCapabilities
  /** The user of an id, SHA-256(secret); undefined when unknown. */
  findUser(id: Uint8Array): Promise<User | undefined>
  /** The user of an id. Creates an unknown user on this UTC day, with an empty mark list of `generation`. */
  addUser(id: Uint8Array, generation: number, day: number): Promise<User>
  /**
   * Deletes the mapping, syncs, rows, attempts, marks and slips of a user; false when the user is unknown. Reports stay,
   * but their user has no rows any more. `day` is the UTC day, up to which a restored backup erases the user again.
   */
  eraseUser(id: Uint8Array, day: number): Promise<boolean>

  /** The acknowledgement of a sync that arrived on this UTC day or later. */
  findSync(user: User, syncId: Uint8Array, since?: number): Promise<SyncRecord | undefined>
  /**
   * Stores rows and lags that the user does not have yet, then the acknowledgement. Any other outcome writes nothing.
   * `duplicate`: this user, sync id and digest were acknowledged before. `too-many`: the user has made all deposits of the
   * day. `outdated`: the code is not open any more, or the attempts are not the next ones; the caller decides again.
   * Throws SYNC_CONFLICT when another digest was acknowledged under this sync id.
   */
  deposit(deposit: Deposit): Promise<DepositOutcome>
  attempts(user: User): Promise<Attempts | undefined>

  /** The rows of each of these users in an epoch: one for each hash, with merged lags. In the order of `users`. */
  userRows(epoch: number, users: readonly User[]): Promise<Uint8Array[]>
  /** The users with rows of these hashes (n × 12, ascending): one item for each user, ascending by user. */
  probe(epoch: number, hashes: Uint8Array): AsyncIterable<UserRows>
  /** Epochs that may have rows, ascending. */
  epochs(): Promise<number[]>
  /**
   * Orders the rows of an epoch that came since its last closing, so that a probe does not read the whole epoch. Changes
   * no answer, and the epoch still takes rows. Returns the number of ordered rows.
   */
  closeEpoch(epoch: number): Promise<number>

  marks(user: User): Promise<MarkList | undefined>
  /** The marks of a user by report, ascending by report. With `report` those of this report alone. */
  userMarks(user: User, report?: ReportId): Promise<ReportMarks[]>
  /** The users with marks of a report, ascending. */
  markedUsers(report: ReportId): Promise<User[]>
  /** Writes each user's change at once. Ignores the changes of erased users, who have no list. */
  putMarks(changes: readonly MarkChange[]): Promise<void>

  /** A number for the next report. No number returns twice while the store is open, nor after a report has used it. */
  nextReport(): Promise<ReportId>
  reports(): Promise<ReportRecord[]>
  putReport(report: ReportRecord): Promise<void>
  /** The progress of all reports that have one. It goes with its report. */
  progress(): Promise<ReportProgress[]>
  putProgress(progress: ReportProgress): Promise<void>

  /** The periods of the spread with slips or a batch, ascending. */
  slipPeriods(): Promise<number[]>
  /** The slips of a period that no batch has, in the order of their bytes, which says nothing about their reports. */
  takeSlips(period: number): Promise<Slip[]>
  /** The batch of a period, for good; undefined before `closePeriod`. */
  batchOf(period: number): Promise<Uint8Array | undefined>
  /**
   * Makes the slips of these reports the batch of the period: n × 104 bytes in their order, without a report or user. All
   * slips of the period go in the same write. Slips that were deleted meanwhile are left out. Returns the batch.
   */
  closePeriod(period: number, reports: readonly ReportId[]): Promise<Uint8Array>
  /** Deletes the slips and the batch of a period. */
  dropPeriod(period: number): Promise<void>

  findCode(hash: Uint8Array): Promise<CodeRecord | undefined>
  /** Writes new codes. */
  putCodes(codes: readonly CodeRecord[]): Promise<void>
  /** Writes the record in the place of an open one. False when the code is unknown or not open any more. */
  closeCode(code: CodeRecord): Promise<boolean>
  codes(): AsyncIterable<CodeRecord>

  findEnrolment(name: Uint8Array): Promise<EnrolmentRecord | undefined>
  /** Writes the record unless the bytes known by its name are others than `before`. False when they are. */
  putEnrolment(name: Uint8Array, record: EnrolmentRecord, before: Uint8Array | undefined): Promise<boolean>

  /** Ascending by epoch. */
  pins(): Promise<Pin[]>
  /** Keeps the pin unless its epoch has one. Returns the pin of the epoch. */
  putPin(pin: Pin): Promise<Pin>

  /** The lease of this name under a new fence; undefined while another holder has it. Its holder may take it again. */
  acquireLease(name: string, holder: string, nowMs: number, ttlMs: number): Promise<Lease | undefined>
  /** The lease for a longer time; undefined when a later one was given. */
  renewLease(lease: Lease, nowMs: number, ttlMs: number): Promise<Lease | undefined>
  /** Ends the lease, unless a later one was given. */
  releaseLease(lease: Lease): Promise<void>
  /** The writes of the holder. Throw LEASE_LOST, and write nothing, once a later lease of this name was given. */
  under(lease: Lease): LeasedWrites
  /** Adds to a counter, and returns its new value. Undefined, and nothing is added, when that would exceed `max`. */
  count(step: CountedStep): Promise<number | undefined>
  /** A small value that all processes share. */
  record(name: string): Promise<Uint8Array | undefined>
  putRecord(name: string, value: Uint8Array): Promise<void>
  /** Writes the value in the place of `before`, undefined for none. False when the record has another value. */
  changeRecord(name: string, value: Uint8Array, before: Uint8Array | undefined): Promise<boolean>

  /**
   * Deletes all data of UTC days before `day`: rows, sync records, marks on their epochs, and pins, codes, enrolments and
   * counters that ended. Also deletes users without a deposit since the day before, who spent a code, and reports that end
   * before `day`. The store takes no rows of these days any more. Returns the number of days whose rows were deleted.
   */
  dropBefore(day: number): Promise<number>
  /** The first UTC day that was not dropped; 0 before the first drop. */
  floor(): number
  statistics(): Promise<StoreStatistics>
  /** Reads the whole store. `condition` then names the damaged parts. Throws STORAGE_FULL, BUSY. */
  verify(): Promise<void>
  /** Copies the store to an empty directory while it is open. Throws COMMAND_INVALID for a store without a backup. */
  backUp(to: string): Promise<void>
  condition(): StoreCondition
  close(): Promise<void>
}
