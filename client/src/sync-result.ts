/** What one sync did, in numbers only: fit for a screen, a log or a test. README "A sync in numbers". */
import type { ReportStatus } from '@geotrace/core-wasm/wire'

/** Where a sync is; `of` grows when more turns up. */
export interface SyncProgress {
  phase: 'rosters' | 'salts' | 'hashes' | 'deposit'
  done: number
  of: number
}

export interface SyncResult {
  /** Salts that a node gave, salts still in memory, and requests made for the former (failures included). */
  saltsAsked: number
  saltsReused: number
  saltRequests: number
  /** Nodes caught giving a salt that their sheet does not hold. */
  nodesLied: number
  /** Distinct risk points hashed. */
  points: number
  /** Distinct risk hashes put into a batch that the centre had not seen before. */
  hashesNew: number
  fixesHashed: number
  /** Too old for their salts (3 h): never deposited. */
  fixesLost: number
  /** Hashed, but held back until home is known or the night is over. */
  fixesHeld: number
  /** No replica of a shard answered: tried again in the next sync. */
  fixesDeferred: number
  /** Dropped because they lie in a home or zone that became known later. */
  fixesRedacted: number
  /** To be salted again under the roster in force. */
  fixesAgain: number
  rowsDeposited: number
  rowsRefused: number
  /** Refused for good or too late (48 h). */
  rowsLost: number
  /** Sync requests that the central peer acknowledged. */
  batches: number
  report: ReportStatus
  marksNew: number
  /** Marks that follow in later syncs. */
  marksLeft: number
  bytesUp: number
  bytesDown: number
  /** The nodes' clocks minus this device's, median, ms; undefined when none was asked. */
  clockOffsetMs: number | undefined
  spentMs: { salt: number; hash: number; deposit: number }
  /** When a sync has something to do again: a node that asked for a pause is not asked before `allowedAt`. */
  next: {
    /** Unix ms. */
    allowedAt: number
    /** Unix ms by which the next sync must have begun, or its oldest fix is lost; undefined when none waits. */
    dueAt: number | undefined
  }
}

export function emptyResult(): SyncResult {
  return {
    saltsAsked: 0,
    saltsReused: 0,
    saltRequests: 0,
    nodesLied: 0,
    points: 0,
    hashesNew: 0,
    fixesHashed: 0,
    fixesLost: 0,
    fixesHeld: 0,
    fixesDeferred: 0,
    fixesRedacted: 0,
    fixesAgain: 0,
    rowsDeposited: 0,
    rowsRefused: 0,
    rowsLost: 0,
    batches: 0,
    report: 'none',
    marksNew: 0,
    marksLeft: 0,
    bytesUp: 0,
    bytesDown: 0,
    clockOffsetMs: undefined,
    spentMs: { salt: 0, hash: 0, deposit: 0 },
    next: { allowedAt: 0, dueAt: undefined },
  }
}
