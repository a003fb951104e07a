/**
 * What the central peer keeps, and the only way to it. PROTOCOL.md §7.2, §8. Types only.
 * Narrow on purpose: sorted runs on LevelDB or PostgreSQL on several servers fit behind it; the suite in
 * test/store/conformance.ts says what every implementation must do. One process writes.
 *
 * Every promise that resolves is durable. Errors: STORE_MISSING, STORE_LOCKED, STORAGE_CORRUPT, SYNC_CONFLICT.
 */
import type { Mark, Row } from '@geotrace/core-wasm/wire'

/** A user's number in this store, u32, never given twice. The store cannot turn it back into SHA-256(secret). */
export type User = number
/** A report's number in this store, from 1. */
export type ReportId = number

/** Some rows of one user and epoch: distinct, ascending by hash. */
export interface EpochRows {
  readonly epoch: number
  readonly rows: readonly Row[]
}
/** Rows that a probe found. */
export interface UserRows {
  readonly user: User
  readonly rows: readonly Row[]
}

/** The proof that a sync was acknowledged, from which it is answered again. */
export interface SyncRecord {
  readonly syncId: Uint8Array
  /** SHA-256 of what the sync carried. */
  readonly digest: Uint8Array
  /** What the reply said beside the marks; the caller's bytes. */
  readonly basis: Uint8Array
}

/** A day's attempts at report codes by one user. */
export interface Attempts {
  readonly day: number
  readonly count: number
}

export type CodeState = 'open' | 'spent' | 'revoked'
/** A report code as it rests: by its SHA-256, never by itself. */
export interface CodeRecord {
  /** SHA-256 of the ten bytes. */
  readonly hash: Uint8Array
  readonly issuedAt: number
  readonly expiresAt: number
  /** First epoch that counts; undefined: from the start of retention. */
  readonly from?: number
  readonly state: CodeState
  /** Who spent it, in which sync, for which report. */
  readonly spent?: { readonly user: User; readonly syncId: Uint8Array; readonly report: ReportId }
}

export interface ReportRecord {
  readonly id: ReportId
  readonly user: User
  readonly at: number
  /** Epochs whose rows count, both inclusive. */
  readonly from: number
  readonly until: number
  readonly state: 'active' | 'retracted'
}

/** One sync to be kept. */
export interface Deposit extends SyncRecord {
  readonly user: User
  /** UTC day of arrival; the record is kept as long as rows of that day. */
  readonly day: number
  /** Ascending by epoch. */
  readonly groups: readonly EpochRows[]
  /** Become durable in the same instant as the acknowledgement, or not at all. */
  readonly attempts?: Attempts
  readonly report?: ReportRecord
  readonly code?: CodeRecord
}

/** Which roster governs a span of epochs here, once and for all. */
export interface Pin {
  readonly firstEpoch: number
  readonly epochs: number
  /** The roster's whole hash. */
  readonly roster: Uint8Array
}

/** A mark with its place in the order in which the user is told. */
export interface MarkEntry extends Mark {
  readonly sequence: number
}
/** What one user is told: marks of all reports, the best per hash. central/mark-list.ts */
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
/** A user's marks of one report (none: removed) together with the list that follows from them. */
export interface MarkChange {
  readonly user: User
  readonly changes: readonly ReportMarks[]
  readonly list: MarkList
}

export interface DayStatistics {
  readonly day: number
  /** Acknowledged (sync, epoch) pairs and the rows in them; an erased user's are taken off. */
  readonly deposits: number
  readonly rows: number
}
export interface StoreStatistics {
  readonly users: number
  readonly days: readonly DayStatistics[]
}

export interface CentralStore {
  /** The user of SHA-256(secret), if known. */
  findUser(id: Uint8Array): Promise<User | undefined>
  /** The same, made with an empty mark list of `generation` when unknown. */
  addUser(id: Uint8Array, generation: number): Promise<User>
  /** Forgets the mapping, syncs, rows, attempts and marks of a user; false when unknown. Reports stay, pointing nowhere. */
  eraseUser(id: Uint8Array): Promise<boolean>

  findSync(user: User, syncId: Uint8Array): Promise<SyncRecord | undefined>
  /**
   * Keeps the rows, then acknowledges. `duplicate`: this user, syncId and digest were acknowledged before and
   * nothing was written. Throws SYNC_CONFLICT when another digest was.
   */
  deposit(deposit: Deposit): Promise<'stored' | 'duplicate'>
  attempts(user: User): Promise<Attempts | undefined>

  /** The user's rows as a set by hash, lags merged, ascending. */
  userRows(epoch: number, user: User): Promise<Row[]>
  /** Who holds these hashes (`hashToKey`), one item a user, ascending by user. */
  probe(epoch: number, hashes: ReadonlySet<string>): AsyncIterable<UserRows>
  /** Epochs that may hold rows, ascending. */
  epochs(): Promise<number[]>

  marks(user: User): Promise<MarkList | undefined>
  /** Marks of a user, ascending by report. */
  userMarks(user: User): Promise<ReportMarks[]>
  /** Users who have marks of a report, ascending. */
  markedUsers(report: ReportId): Promise<User[]>
  /** Each user's change is one instant. Changes of users without a list (erased) are dropped. */
  putMarks(changes: readonly MarkChange[]): Promise<void>

  /** A number for the next report; not given again within this opening, nor once a report has it. */
  nextReport(): Promise<ReportId>
  reports(): Promise<ReportRecord[]>
  putReport(report: ReportRecord): Promise<void>

  findCode(hash: Uint8Array): Promise<CodeRecord | undefined>
  putCodes(codes: readonly CodeRecord[]): Promise<void>
  codes(): AsyncIterable<CodeRecord>

  /** Ascending by first epoch. */
  pins(): Promise<Pin[]>
  putPin(pin: Pin): Promise<void>

  /**
   * Forgets everything of UTC days before `day`: rows, sync records, marks on those epochs, pins that ended, codes that
   * expired, reports whose last epoch lies before. Returns how many days of rows went.
   */
  dropBefore(day: number): Promise<number>
  statistics(): Promise<StoreStatistics>
  close(): Promise<void>
}
