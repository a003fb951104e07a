/**
 * A step, the form in which a device receives a roster: the choice of the proposer and the votes. PROTOCOL.md §4.6.
 * Everything else follows from the roster before (succession.ts). The device makes the body itself, and the votes are
 * over the hash of that body.
 *
 *  struct RosterStep {
 *    u32 height; u8 previous[32]; u32 firstEpoch;
 *    u16 count ≤ 4096; u8 sheets[count][32];
 *    u8  count ≤ 32;   { u16 length ≤ 24576; u8 change[length] } changes[count];
 *    u16 count ≤ 300;  { u8 isGiven; u8 commitment[32]; u8 signature[64] } commitments[count];  // both only if given
 *    u16 count ≤ 300;  { u8 isGiven; u8 nonce[32] } reveals[count];                             // only if given
 *    u16 count ≤ 300;  { u16 operator; u8 signature[64] } votes[count];                         // operators ascend
 *  }
 */

import {
  CHANGE_MAX_BYTES,
  CHANGES_PER_ROSTER_MAX,
  HASH_BYTES,
  OPERATORS_MAX,
  ROSTER_MAX_BYTES,
  SHARDS_MAX,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { type ByteReader, byteReader, byteWriter } from '../encoding/bytes.ts'
import type { CertifiedRoster, Commitment, Vote } from '../federation/roster.ts'
import type { Succession } from './draft.ts'

export interface RosterStep extends Succession {
  height: number
  /** Hash of the roster before; the federation id for the founding roster. */
  previous: Uint8Array
  /** Votes of a quorum of the operators before, ascending by operator. */
  votes: Vote[]
}

export function certifiedToStep({ roster, votes }: CertifiedRoster): RosterStep {
  const { height, previous, firstEpoch, sheets, changes, commitments, reveals } = roster
  const inOrder = [...votes].sort(byOperator)
  return { height, previous, firstEpoch, sheets, changes, commitments, reveals, votes: inOrder }
}

export function encodeRosterStep(step: RosterStep): Uint8Array {
  const { height, previous, firstEpoch, sheets, changes, commitments, reveals, votes } = step
  const writer = byteWriter(ROSTER_MAX_BYTES).u32(height).bytes(previous, HASH_BYTES).u32(firstEpoch)
  writer.u16(sheets.length)
  for (const root of sheets) writer.bytes(root, HASH_BYTES)
  writer.u8(changes.length)
  for (const change of changes) writer.u16(change.length).bytes(change)
  writer.u16(commitments.length)
  for (const item of commitments) {
    writer.u8(item === null ? 0 : 1)
    if (item !== null) writer.bytes(item.commitment, HASH_BYTES).bytes(item.signature, SIGNATURE_BYTES)
  }
  writer.u16(reveals.length)
  for (const nonce of reveals) {
    writer.u8(nonce === null ? 0 : 1)
    if (nonce !== null) writer.bytes(nonce, HASH_BYTES)
  }
  writer.u16(votes.length)
  for (const { operator, signature } of votes) writer.u16(operator).bytes(signature, SIGNATURE_BYTES)
  return writer.finish()
}

/** Decodes only; `stepToCertified` (certificate.ts) checks the votes. Throws MESSAGE_MALFORMED. */
export function decodeRosterStep(bytes: Uint8Array): RosterStep {
  const reader = byteReader(bytes)
  if (bytes.length > ROSTER_MAX_BYTES) reader.refuse(`expected at most ${ROSTER_MAX_BYTES} bytes, got ${bytes.length}`)
  const [height, previous, firstEpoch] = [reader.u32(), reader.bytes(HASH_BYTES), reader.u32()]
  const sheets = readList(reader, reader.u16(), SHARDS_MAX, () => reader.bytes(HASH_BYTES))
  const changes = readList(reader, reader.u8(), CHANGES_PER_ROSTER_MAX, () => {
    const length = reader.u16()
    return length > CHANGE_MAX_BYTES
      ? reader.refuse(`expected a change of at most ${CHANGE_MAX_BYTES} bytes, got ${length}`)
      : reader.bytes(length)
  })
  const commitments = readGiven(reader, (): Commitment => {
    return { commitment: reader.bytes(HASH_BYTES), signature: reader.bytes(SIGNATURE_BYTES) }
  })
  const reveals = readGiven(reader, () => reader.bytes(HASH_BYTES))
  const votes = readList(reader, reader.u16(), OPERATORS_MAX, (): Vote => {
    return { operator: reader.u16(), signature: reader.bytes(SIGNATURE_BYTES) }
  })
  if (votes.some((vote, i) => i > 0 && byOperator(votes[i - 1]!, vote) >= 0))
    reader.refuse('expected ascending operators')
  reader.end()
  return { height, previous, firstEpoch, sheets, changes, commitments, reveals, votes }
}

/** One entry for each operator; null where the operator gave nothing. */
function readGiven<T>(reader: ByteReader, read: () => T): (T | null)[] {
  return readList(reader, reader.u16(), OPERATORS_MAX, () => {
    const isGiven = reader.u8()
    if (isGiven > 1) reader.refuse(`expected 0 or 1, got ${isGiven}`)
    return isGiven === 1 ? read() : null
  })
}

function readList<T>(reader: ByteReader, count: number, max: number, read: () => T): T[] {
  if (count > max) reader.refuse(`expected at most ${max} items, got ${count}`)
  return Array.from({ length: count }, read)
}

function byOperator(a: { operator: number }, b: { operator: number }): number {
  return a.operator - b.operator
}
