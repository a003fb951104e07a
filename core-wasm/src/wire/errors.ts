/**
 * One class for every failure in operation. README "Errors". `code` is stable within a major version; the message may
 * change. A programming mistake is a TypeError or RangeError instead.
 */
export interface ErrorData {
  ABORTED: undefined
  ADDRESS_NOT_LOOPBACK: { address: string }
  BACKUP_UNREADABLE: undefined
  BATCH_REFUSED: { count: number }
  CHANGE_INVALID: { reason: string }
  CODE_EXPIRED: undefined
  CODE_SPENT: undefined
  CODE_UNKNOWN: undefined
  COMMAND_INVALID: { reason: string; next?: string }
  CONSENT_MISSING: { kind: string }
  CORE_FAULT: undefined
  CORE_MISMATCH: { want: string; got: string }
  CORE_UNSUPPORTED: undefined
  BLOCK_TOO_OLD: { block: number }
  BLOCK_TOO_NEW: { block: number }
  BUSY: { retryAfterMs: number }
  CLOCK_SKEWED: { offsetMs: number }
  EPOCH_LOST: { epoch: number }
  FILE_EXPOSED: { path: string; next?: string }
  FORBIDDEN: undefined
  IMPORT_INVALID: { line: number; reason: string; file?: string; noTrack?: boolean }
  LEASE_LOST: { lease: string }
  MANIFEST_INVALID: { path: string; reason: string }
  MESSAGE_MALFORMED: { at: number }
  MESSAGE_TOO_LARGE: { size: number; max: number }
  NODE_NOT_RUNNING: { dir: string; next?: string }
  NOT_ALLOWED: undefined
  PEER_LIED: { peer: string }
  PEER_TIMEOUT: { peer: string; next?: string }
  PEER_UNREACHABLE: { tried: number }
  PORT_TAKEN: { port: number; next?: string }
  QUOTA_SPENT: { retryAfterMs: number }
  REPORT_UNKNOWN: { report: number }
  RISK_BOUND: { degree: number; bound: string }
  ROSTER_FORKED: { height: number }
  ROSTER_INVALID: { reason: string }
  ROSTER_UNKNOWN: undefined
  SEAL_UNKNOWN: undefined
  STORAGE_CORRUPT: { what: string }
  STORAGE_FULL: { what: string }
  STORAGE_LOST: { what: string }
  STORE_LOCKED: { dir: string }
  STORE_MISSING: { dir: string }
  SUITE_UNKNOWN: { suite: number }
  SYNC_CONFLICT: undefined
  TOKEN_REFUSED: undefined
  TOO_FEW: { count: number }
  TOO_MANY_ATTEMPTS: { retryAfterMs: number }
  TOO_MANY_SALTS: { count: number }
  VERSION_UNKNOWN: { version: number }
  WRONG_SHARD: { shard: number }
}
export type ErrorCode = keyof ErrorData

type Rest<C extends ErrorCode> = undefined extends ErrorData[C]
  ? [data?: ErrorData[C], options?: { cause: unknown }]
  : [data: ErrorData[C], options?: { cause: unknown }]

export class FederationError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'FederationError'
  readonly code: C
  readonly data: ErrorData[C]

  constructor(code: C, message: string, ...[data, options]: Rest<C>) {
    super(message, options)
    this.code = code
    this.data = data as ErrorData[C]
  }
}

/** The refusal of an overloaded peer. PROTOCOL.md §6.3. */
export function busy(retryAfterMs = 1_000): FederationError<'BUSY'> {
  return new FederationError('BUSY', `the peer has too much work: ask again after ${retryAfterMs} ms`, { retryAfterMs })
}

/** Narrows an unknown error to one code: `if (isFederationError(e, 'QUOTA_SPENT')) wait(e.data.retryAfterMs)`. */
export function isFederationError<C extends ErrorCode>(error: unknown, code?: C): error is FederationError<C> {
  return error instanceof FederationError && (code === undefined || error.code === code)
}
