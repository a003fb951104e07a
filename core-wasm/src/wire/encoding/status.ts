/**
 * A refusal on the wire: one status byte and at most one number, never text. PROTOCOL.md §2.1, §6.3.
 * `errorToRefusal` and `refusalToError` are the only functions that map errors to bytes and back.
 */

import { type ErrorCode, FederationError } from '../errors.ts'
import { type ByteReader, byteWriter } from './bytes.ts'

export const STATUS_OK = 0

/** PROTOCOL.md §2.1 allots these numbers. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  MESSAGE_MALFORMED: 1,
  VERSION_UNKNOWN: 2,
  SUITE_UNKNOWN: 3,
  TOO_MANY_SALTS: 4,
  BLOCK_TOO_OLD: 5,
  BLOCK_TOO_NEW: 6,
  WRONG_SHARD: 7,
  ROSTER_UNKNOWN: 8,
  EPOCH_LOST: 9,
  QUOTA_SPENT: 10,
  BUSY: 11,
  CLOCK_SKEWED: 12,
  FORBIDDEN: 13,
  SYNC_CONFLICT: 14,
  BATCH_REFUSED: 15,
  TOO_FEW: 16,
  STORAGE_FULL: 17,
  NOT_ALLOWED: 18,
  TOKEN_REFUSED: 19,
  SEAL_UNKNOWN: 20,
}
/** Any failure inside the answering peer. */
export const STATUS_INTERNAL = 255

/** A status and one number. */
export const REFUSAL_BYTES = 5

export interface Refusal {
  status: number
  /** Seconds to wait (QUOTA_SPENT, BUSY), block, epoch, shard, count; 0 where the code has none. */
  number: number
}

export function errorToRefusal(error: unknown): Refusal {
  if (!(error instanceof FederationError)) return { status: STATUS_INTERNAL, number: 0 }
  const status = STATUS[error.code as ErrorCode]
  if (status === undefined) return { status: STATUS_INTERNAL, number: 0 }
  return { status, number: dataToNumber(error) }
}

/** The error of each status that a peer may send, from the number that follows the status. */
const ERRORS: { readonly [C in ErrorCode]?: (number: number) => FederationError<C> } = {
  MESSAGE_MALFORMED: (number) =>
    new FederationError(
      'MESSAGE_MALFORMED',
      `the peer refused our message as malformed at byte ${number}: update the software that sent it`,
      { at: number },
    ),
  VERSION_UNKNOWN: (number) =>
    new FederationError('VERSION_UNKNOWN', `the peer speaks version ${number} of the protocol: update the older side`, {
      version: number,
    }),
  SUITE_UNKNOWN: (number) =>
    new FederationError('SUITE_UNKNOWN', `the peer does not offer salting ${number}: use the salting of the manifest`, {
      suite: number,
    }),
  TOO_MANY_SALTS: (number) =>
    new FederationError('TOO_MANY_SALTS', `expected 1 to 90 blocks in a request, got ${number}: split the request`, {
      count: number,
    }),
  BLOCK_TOO_OLD: (number) =>
    new FederationError('BLOCK_TOO_OLD', `block ${number} ended before the salt window: its salt is lost`, {
      block: number,
    }),
  BLOCK_TOO_NEW: (number) =>
    new FederationError('BLOCK_TOO_NEW', `block ${number} starts too far ahead: check the clock`, { block: number }),
  WRONG_SHARD: (number) =>
    new FederationError('WRONG_SHARD', `the node does not hold shard ${number}: ask a replica of the newest roster`, {
      shard: number,
    }),
  ROSTER_UNKNOWN: () =>
    new FederationError('ROSTER_UNKNOWN', 'the peer follows another roster: fetch the newest rosters'),
  EPOCH_LOST: (number) =>
    new FederationError('EPOCH_LOST', `the node lost the secrets of epoch ${number}: ask another replica`, {
      epoch: number,
    }),
  QUOTA_SPENT: (number) =>
    new FederationError('QUOTA_SPENT', `the quota of this address is spent: try again in ${number} s`, {
      retryAfterMs: number * 1000,
    }),
  BUSY: (number) =>
    new FederationError('BUSY', `the peer is busy: try again in ${number} s`, { retryAfterMs: number * 1000 }),
  CLOCK_SKEWED: (number) =>
    new FederationError('CLOCK_SKEWED', 'the clock of the node differs from its peers: ask another replica', {
      offsetMs: number * 1000,
    }),
  FORBIDDEN: () => new FederationError('FORBIDDEN', 'the peer serves this only to members of the federation'),
  SYNC_CONFLICT: () =>
    new FederationError(
      'SYNC_CONFLICT',
      'the central peer acknowledged another deposit under this sync id: use a new sync id',
    ),
  BATCH_REFUSED: (number) =>
    new FederationError(
      'BATCH_REFUSED',
      `the node takes no batch of ${number} elements: pad the batch to a class of the manifest`,
      { count: number },
    ),
  SEAL_UNKNOWN: () =>
    new FederationError(
      'SEAL_UNKNOWN',
      'the central peer does not have the key of this frame: fetch the newest roster',
    ),
  TOO_FEW: (number) =>
    new FederationError('TOO_FEW', `${number} reporters contributed, which are too few: the period is not counted`, {
      count: number,
    }),
  STORAGE_FULL: () =>
    new FederationError('STORAGE_FULL', 'the disk of the peer is full: try again later', { what: 'peer' }),
  NOT_ALLOWED: () =>
    new FederationError(
      'NOT_ALLOWED',
      'the node answers only the addresses that its operator allows: ask another replica',
    ),
  TOKEN_REFUSED: () =>
    new FederationError('TOKEN_REFUSED', 'the peer does not take this token: ask without it, or use another'),
}

function refusalToError({ status, number }: Refusal): FederationError {
  const code = (Object.keys(STATUS) as ErrorCode[]).find((key) => STATUS[key] === status)
  const toError = code === undefined ? undefined : ERRORS[code]
  if (toError !== undefined) return toError(number)
  return new FederationError(
    'PEER_UNREACHABLE',
    `the peer failed with status ${status}: try another peer or again later`,
    { tried: 1 },
  )
}

/** The number in the error's data as a u32. Times are rounded up to whole seconds. */
function dataToNumber(error: FederationError): number {
  const value = Object.values(error.data ?? {}).find((item): item is number => typeof item === 'number') ?? 0
  const scaled =
    error.code === 'QUOTA_SPENT' || error.code === 'BUSY' || error.code === 'CLOCK_SKEWED' ? value / 1000 : value
  return Math.min(0xffffffff, Math.max(0, Math.ceil(scaled)))
}

export function encodeRefusal({ status, number }: Refusal): Uint8Array {
  return byteWriter(REFUSAL_BYTES).u8(status).u32(number).finish()
}

/** Reads a status byte and throws the error of a refusal. */
export function throwRefusal(reader: ByteReader): void {
  const status = reader.u8()
  if (status === STATUS_OK) return
  const number = reader.u32()
  reader.end()
  throw refusalToError({ status, number })
}
