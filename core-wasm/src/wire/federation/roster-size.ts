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
const VOTE = encode({ operator: 0xffff, signature: SIGNATURE }).length
const COMMITMENT = encode({ commitment: HASH, signature: SIGNATURE }).length
const EMPTY = encodeCertifiedRoster({ body: new Uint8Array(0), sheetSignatures: [], votes: [] }).length

/**
 * The most bytes that the certificate of this roster takes. It has a majority of signatures under each sheet and votes by
 * a quorum of `voters`. While nodes wait for a rank, it has a commitment of each voter. The current `sheets` and
 * `commitments` do not count.
 */
export function certificateBytes(roster: Roster, voters: number): number {
  const { shards, replicas, admitted } = roster
  const committed = admitted.length > 0 ? listBytes(voters, COMMITMENT) - 1 : 0
  const bare = encodeRoster({ ...roster, sheets: [], commitments: [] }).length
  const body = bare + listBytes(shards, encode(HASH).length) - 1 + committed
  const signatures = listBytes(shards, listBytes(sheetQuorum(replicas), SHEET_SIGNATURE)) - 1
  return EMPTY + body + headBytes(body) - 1 + signatures + listBytes(quorum(voters), VOTE) - 1
}

/**
 * The same for the settled roster, to which this roster leads without further changes. There, all operators have ranks,
 * the plan is in force, and departed members have left. A list of commitments counts too, because a roster on the way
 * may carry one. A settled roster never grows by itself, so while it fits, a roster can always follow.
 */
export function settledBytes(roster: Roster): number {
  const { operators, members, newcomers, admitted, gone, plan } = roster
  const isHere = ({ key }: { key: Uint8Array }): boolean => !isGone({ gone }, key)
  const settled: Roster = {
    ...roster,
    height: 0xffffffff,
    firstEpoch: 0xffffffff,
    shards: plan.shards,
    replicas: plan.replicas,
    operators: operators.filter(isHere).map((operator) => ({ ...operator, rank: HASH })),
    members: [...members, ...newcomers, ...admitted].filter(isHere),
    newcomers: [],
    admitted: [],
    changes: [],
    commitments: [],
    reveals: [],
  }
  return certificateBytes(settled, operators.length) + listBytes(operators.length, COMMITMENT) - 1
}

function listBytes(count: number, itemBytes: number): number {
  return headBytes(count) + count * itemBytes
}

/** Bytes of the head of a CBOR list or byte string of this length (RFC 8949 §3). */
function headBytes(length: number): number {
  return length < 24 ? 1 : length < 2 ** 8 ? 2 : length < 2 ** 16 ? 3 : 5
}
