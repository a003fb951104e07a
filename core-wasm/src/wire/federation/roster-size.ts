/**
 * The largest size of a roster with its certificate. PROTOCOL.md §4.9. The encoders give the sizes. A roster that does
 * not fit a frame would stop the federation, so succession.ts refuses every change that could make such a roster.
 */
import { encode } from 'cborg'
import { HASH_BYTES, SIGNATURE_BYTES } from '../constants.ts'
import { encodeCertifiedRoster, encodeRoster, type Roster } from './roster.ts'
import { isGone, quorum, sheetQuorum } from './roster-rules.ts'

const HASH = new Uint8Array(HASH_BYTES)
const SIGNATURE = new Uint8Array(SIGNATURE_BYTES)
/** Bytes of the largest item of each kind: indices are below 2¹⁶. */
const SHEET_SIGNATURE = encode([0xffff, SIGNATURE]).length
const VOTE = encode({ operator: 0xffff, commitment: HASH, signature: SIGNATURE }).length
const REVEAL = encode({ operator: 0xffff, nonce: HASH, signature: SIGNATURE }).length
const EMPTY = encodeCertifiedRoster({ body: new Uint8Array(0), sheetSignatures: [], votes: [] }).length

/**
 * The most bytes that the certificate of this roster takes: a majority of signatures under each sheet, votes by a quorum
 * of `voters`. The current `sheets` of the roster do not count.
 */
export function certificateBytes(roster: Roster, voters: number): number {
  const { shards, replicas } = roster
  const body = encodeRoster({ ...roster, sheets: [] }).length + listBytes(shards, encode(HASH).length) - 1
  const signatures = listBytes(shards, listBytes(sheetQuorum(replicas), SHEET_SIGNATURE)) - 1
  return EMPTY + body + headBytes(body) - 1 + signatures + listBytes(quorum(voters), VOTE) - 1
}

/**
 * The same for the settled roster, to which this roster leads without further changes. There, admitted peers have
 * ranks, all operators opened their nonces, the plan is in force, and departed members have left. A settled roster
 * never grows by itself, so while it fits, a roster can always follow.
 */
export function settledBytes(roster: Roster): number {
  const { operators, members, newcomers, admitted, gone, plan } = roster
  const isHere = ({ key }: { key: Uint8Array }): boolean => !isGone({ gone }, key)
  const ranked = admitted.map((peer) => ({ ...peer, rank: HASH }))
  const settled: Roster = {
    ...roster,
    height: 0xffffffff,
    firstEpoch: 0xffffffff,
    shards: plan.shards,
    replicas: plan.replicas,
    operators: operators.filter(isHere),
    members: [...members, ...newcomers, ...ranked].filter(isHere),
    newcomers: [],
    admitted: [],
    changes: [],
    reveals: [],
  }
  return certificateBytes(settled, operators.length) + listBytes(operators.length, REVEAL) - 1
}

function listBytes(count: number, itemBytes: number): number {
  return headBytes(count) + count * itemBytes
}

/** Bytes of the head of a CBOR list or byte string of this length (RFC 8949 §3). */
function headBytes(length: number): number {
  return length < 24 ? 1 : length < 2 ** 8 ? 2 : length < 2 ** 16 ? 3 : 5
}
