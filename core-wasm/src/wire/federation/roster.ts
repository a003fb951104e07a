/**
 * The roster: the certified list of operators, salt nodes, shards and sheets for one period. PROTOCOL.md §4.4.
 * It is deterministic CBOR. A body that does not encode back to the same bytes is refused (ROSTER_INVALID), so a roster
 * has one hash.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import * as z from 'zod/mini'
import {
  APPS_MAX,
  CHANGE_MAX_BYTES,
  CHANGES_PER_ROSTER_MAX,
  HASH_BYTES,
  KEY_BYTES,
  ROSTER_MAX_BYTES,
  ROSTER_NAME_BYTES,
  SHARDS_MAX,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { bytesToHex, concatBytes, utf8 } from '../encoding/bytes.ts'
import { decodeCanonical } from '../encoding/canonical.ts'
import type { SpreadParameters } from '../spread-rules.ts'
import { invalid } from './invalid-roster.ts'
import { spreadSchema, type TokenParameters, tokensSchema } from './manifest-form.ts'

export interface RosterPeer {
  /** Ed25519 key of the peer id, 32 bytes. */
  key: Uint8Array
  /** Index into `operators`. */
  operator: number
  addresses: string[]
  /** When the peer signed the move to these addresses, Unix ms; 0 for its first addresses. */
  moved: number
}
export interface RosterCentral extends RosterPeer {
  /** X25519 key to which devices seal their syncs, 32 bytes; see `sealRequest` (seal/relay-frame.ts). */
  seal: Uint8Array
  /** When the central peer announced this seal key, Unix ms; at first the time of the founding. */
  sealed: number
}
export interface RosterOperator {
  name: string
  key: Uint8Array
  /** 32 bytes that nobody could choose; they decide the shards of the operator. Null until they are drawn. */
  rank: Uint8Array | null
}
/** An operator's signed commitment to a nonce that nobody else knows yet; see `signCommitment` (ranks.ts). */
export interface Commitment {
  /** H("geotrace/nonce" ‖ nonce). */
  commitment: Uint8Array
  signature: Uint8Array
}
/** The replicas that signed the sheet of a shard: index into `members`, signature. */
export type SheetSignatures = [member: number, signature: Uint8Array][]
export interface Roster {
  version: 1
  federation: Uint8Array
  height: number
  /** Hash of the roster before; the federation id for the founding roster. */
  previous: Uint8Array
  firstEpoch: number
  periodEpochs: number
  reserveEpochs: number
  shards: number
  replicas: number
  threshold: number
  salting: 'plain' | 'threshold'
  /** Evaluations that one node makes for one shard and epoch. */
  evaluationsPerShardEpoch: number
  operators: RosterOperator[]
  members: RosterPeer[]
  central: RosterCentral
  /** The root of each shard's sheet, 32 bytes each. */
  sheets: Uint8Array[]
  core: { simd: Uint8Array; scalar: Uint8Array }
  /** Origins of the web apps whose pages may send requests to peers. */
  apps: string[]
  /** How this federation counts where reporters have been. Absent: it does not. */
  spread?: SpreadParameters | undefined
  /** The id of the release that a quorum rebuilt, 32 bytes. Absent: the operators agreed on none. */
  release?: Uint8Array | undefined
  /** The tokens of devices. Absent: there are none. */
  tokens?: TokenParameters | undefined
  /** Shards and replicas of the roster that follows. */
  plan: { shards: number; replicas: number }
  /** When the latest amendment was proposed, Unix ms; 0 when there was none. */
  amended: number
  /** Nodes whose operator has a rank. They are members from the next roster on. */
  newcomers: RosterPeer[]
  /** Nodes whose operator has no rank yet. */
  admitted: RosterPeer[]
  /** Keys of members and operators that left permanently. Such members hold their shards to the end of this roster. */
  gone: Uint8Array[]
  /** The signed changes that this roster makes to the roster before. */
  changes: Uint8Array[]
  /**
   * Commitments to the nonces that will rank the operators of `admitted` in the next roster. There is one entry for each
   * operator of the roster before; null when it did not commit. The list is empty when no node waits for a rank, or when
   * fewer than a quorum committed.
   */
  commitments: (Commitment | null)[]
  /** The opened nonces of the roster before: one entry for each of its commitments. Empty when this roster ranks none. */
  reveals: (Uint8Array | null)[]
}
/** An operator's vote for a roster; see `voteContent` (vote.ts). */
export interface Vote {
  /** Index into the operators of the roster before; at founding into its own operators. */
  operator: number
  signature: Uint8Array
}
export interface CertifiedRoster {
  roster: Roster
  /** SHA-256 of the body, 32 bytes. */
  hash: Uint8Array
  body: Uint8Array
  /**
   * One list for each shard; empty on a device, which checks the votes only (roster-step.ts). The signatures are outside
   * the body, so that two proposers with signatures of different replicas still propose the same roster.
   */
  sheetSignatures: SheetSignatures[]
  votes: Vote[]
}

const whole = (max: number) => z.int().check(z.minimum(0), z.maximum(max))
const fixed = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length, `expected ${length} bytes`)
const addresses = z.array(z.string().check(z.maxLength(256))).check(z.maxLength(8))
const time = whole(Number.MAX_SAFE_INTEGER)
const peerShape = { key: fixed(KEY_BYTES), operator: whole(0xffff), addresses, moved: time }
const peerSchema = z.strictObject(peerShape)
const centralSchema = z.strictObject({ ...peerShape, seal: fixed(KEY_BYTES), sealed: time })
const operatorSchema = z.strictObject({
  name: z.string().check(z.maxLength(63)),
  key: fixed(KEY_BYTES),
  rank: z.nullable(fixed(HASH_BYTES)),
})
const voteSchema = z.strictObject({ operator: whole(0xffff), signature: fixed(SIGNATURE_BYTES) })
const commitmentSchema = z.strictObject({ commitment: fixed(HASH_BYTES), signature: fixed(SIGNATURE_BYTES) })
const changeSchema = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= CHANGE_MAX_BYTES,
  `expected at most ${CHANGE_MAX_BYTES} bytes`,
)
const rosterSchema = z.strictObject({
  version: z.literal(1),
  federation: fixed(HASH_BYTES),
  height: whole(0xffffffff),
  previous: fixed(HASH_BYTES),
  firstEpoch: whole(0xffffffff),
  periodEpochs: whole(0xffff),
  reserveEpochs: whole(0xffff),
  shards: whole(SHARDS_MAX),
  replicas: whole(15),
  threshold: whole(15),
  salting: z.enum(['plain', 'threshold']),
  evaluationsPerShardEpoch: whole(0xffffffff),
  operators: z.array(operatorSchema),
  members: z.array(peerSchema),
  central: centralSchema,
  sheets: z.array(fixed(HASH_BYTES)),
  core: z.strictObject({ simd: fixed(HASH_BYTES), scalar: fixed(HASH_BYTES) }),
  apps: z.array(z.string().check(z.maxLength(128))).check(z.maxLength(APPS_MAX)),
  spread: z.optional(spreadSchema),
  release: z.optional(fixed(HASH_BYTES)),
  tokens: z.optional(tokensSchema),
  plan: z.strictObject({ shards: whole(SHARDS_MAX), replicas: whole(15) }),
  amended: time,
  newcomers: z.array(peerSchema),
  admitted: z.array(peerSchema),
  gone: z.array(fixed(KEY_BYTES)),
  changes: z.array(changeSchema).check(z.maxLength(CHANGES_PER_ROSTER_MAX)),
  commitments: z.array(z.nullable(commitmentSchema)),
  reveals: z.array(z.nullable(fixed(HASH_BYTES))),
})
const certifiedSchema = z.strictObject({
  body: z.custom<Uint8Array>((value) => value instanceof Uint8Array),
  sheetSignatures: z.array(z.array(z.tuple([whole(0xffff), fixed(SIGNATURE_BYTES)]))),
  votes: z.array(voteSchema),
})

export function encodeRoster(roster: Roster): Uint8Array {
  return encode(roster)
}

/** Throws ROSTER_INVALID. */
export function decodeRoster(body: Uint8Array): Roster {
  return decodeCanonical(body, rosterSchema, ROSTER_MAX_BYTES, invalid)
}

export function bodyToHash(body: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/roster'), body))
}

/** A roster with its signatures and votes, from the bytes of its body. Throws ROSTER_INVALID. */
export function bodyToCertified(body: Uint8Array, sheetSignatures: SheetSignatures[], votes: Vote[]): CertifiedRoster {
  return { roster: decodeRoster(body), hash: bodyToHash(body), body, sheetSignatures, votes }
}

export function encodeCertifiedRoster({
  body,
  sheetSignatures,
  votes,
}: Pick<CertifiedRoster, 'body' | 'sheetSignatures' | 'votes'>): Uint8Array {
  return encode({ body, sheetSignatures, votes })
}

/** Decodes only; `assertCertified` (certificate.ts) checks signatures and votes. Throws ROSTER_INVALID. */
export function decodeCertifiedRoster(bytes: Uint8Array): CertifiedRoster {
  const { body, sheetSignatures, votes } = decodeCanonical(bytes, certifiedSchema, ROSTER_MAX_BYTES, invalid)
  return bodyToCertified(body, sheetSignatures, votes)
}

/** The roster name: the 8 bytes by which requests and rows name a roster. */
export function hashToRosterName(hash: Uint8Array): Uint8Array {
  return hash.slice(0, ROSTER_NAME_BYTES)
}

/** The roster name in hex, as a key of maps. */
export function rosterName(certified: CertifiedRoster): string {
  return bytesToHex(hashToRosterName(certified.hash))
}
