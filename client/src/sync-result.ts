/** The numbers of one sync, for a screen, a log or a test. README "A sync in numbers". */
import type { ReportStatus } from '@geotrace/core-wasm/wire'

/** How far a sync is. `of` grows when more work turns up. */
export interface SyncProgress {
  phase: 'rosters' | 'salts' | 'hashes' | 'deposit'
  done: number
  of: number
}

export interface SyncResult {
  /** Salts or cell keys that nodes gave. */
  saltsAsked: number
  /** Salts that were still in memory. */
  saltsReused: number
  /** Requests for salts or cell keys, with those that failed. */
  saltRequests: number
  /** Elements with their padding that each node was asked to evaluate; 0 under plain salting. */
  evaluationsPadded: number
  /** Salt nodes that gave a false salt or evaluation. */
  nodesLied: number
  /** Epochs for which the central peer signed two different pins. */
  pinsContradicted: number
  /** Distinct risk points hashed. */
  points: number
  /** Distinct risk hashes in the batches that the central peer had not seen before. */
  hashesNew: number
  fixesHashed: number
  /** Fixes older than their salts (3 h), which are never deposited. */
  fixesLost: number
  /** Fixes dropped, because they were recorded ahead of the time that two clocks prove: the device's clock was wrong. */
  fixesAhead: number
  /** Hashed fixes that wait until home is known or the night is over. */
  fixesHeld: number
  /** Fixes for which no replica of a shard answered. The next sync tries them again. */
  fixesDeferred: number
  /** Fixes dropped, because they lie in a home or zone that became known later. */
  fixesRedacted: number
  /** Fixes that are salted again, under the pinned roster or the one in force. */
  fixesAgain: number
  rowsDeposited: number
  /** Rows of deleted and redacted fixes that the central peer erased. */
  rowsTakenBack: number
  rowsRefused: number
  /** Rows refused permanently, or too late (48 h). */
  rowsLost: number
  /** Those of `rowsLost` whose epoch was pinned to another roster, while salt nodes served their salts no more. */
  rowsLostToRoster: number
  /** Sync requests that the central peer acknowledged. */
  batches: number
  /** The outcome of the code or withdrawal that went with this sync; else where the report of this device stands. */
  report: ReportStatus
  /** A member that passed the sync on replicates a shard of it, because no other member did. */
  relayShared: boolean
  marksNew: number
  /** Marks that follow with later syncs. */
  marksLeft: number
  bytesUp: number
  bytesDown: number
  /** The federation's time minus this device's clock, ms; undefined when no peer sent its time. */
  clockOffsetMs: number | undefined
  /** The clock differs by more than five minutes. The sync was corrected for that; ask the user to set the clock. */
  isClockOff: boolean
  spentMs: { salt: number; hash: number; deposit: number }
  /** When the next sync is useful. */
  next: {
    /** Unix ms. Before this a node that asked for a pause would refuse again. */
    allowedAt: number
    /** Unix ms by which the next sync must begin, or the oldest fix is lost; undefined when no fix waits. */
    dueAt: number | undefined
  }
}

export function emptyResult(): SyncResult {
  return {
    saltsAsked: 0,
    saltsReused: 0,
    saltRequests: 0,
    evaluationsPadded: 0,
    nodesLied: 0,
    pinsContradicted: 0,
    points: 0,
    hashesNew: 0,
    fixesHashed: 0,
    fixesLost: 0,
    fixesAhead: 0,
    fixesHeld: 0,
    fixesDeferred: 0,
    fixesRedacted: 0,
    fixesAgain: 0,
    rowsDeposited: 0,
    rowsTakenBack: 0,
    rowsRefused: 0,
    rowsLost: 0,
    rowsLostToRoster: 0,
    batches: 0,
    report: 'none',
    relayShared: false,
    marksNew: 0,
    marksLeft: 0,
    bytesUp: 0,
    bytesDown: 0,
    clockOffsetMs: undefined,
    isClockOff: false,
    spentMs: { salt: 0, hash: 0, deposit: 0 },
    next: { allowedAt: 0, dueAt: undefined },
  }
}
