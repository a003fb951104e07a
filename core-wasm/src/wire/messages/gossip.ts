/**
 * Gossip between peers, over gossipsub on one topic. PROTOCOL.md §7.5. Each message carries its own signature, so any
 * peer may relay it. A large body is named by its hash and fetched. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN.
 *
 *  message: u8 version; u8 kind; body
 *    0 PRESENCE  u8 key[32]; u64 time; u32 height; u8 roster[8]; u8 release[8];
 *                u8 count; { u8 length; address }[count]; signature
 *    1 SHEETS    u8 key[32]; u8 previous[32]; u32 firstEpoch; u16 count; { u16 shard; u8 root[32]; signature }[count]
 *    2 PROPOSAL  u32 height; u32 firstEpoch; u8 hash[32]; u8 holder[32]; u16 operator; signature
 *    3 VOTE      u32 height; u32 firstEpoch; u8 hash[32]; u16 operator; signature
 *    4 REVEAL    u32 height; u16 operator; u8 nonce[32]
 *    5 CHANGE    SignedChange CBOR
 *    6 EVIDENCE  Evidence CBOR
 *    7 HANDOVER  u8 giver[32]; u8 taker[32]; u16 shard; u32 firstEpoch; u64 time; signature
 *    8 SPREAD_KEY SpreadKey; by a role of a spread
 *    9 SPREAD    Spread; by its teller
 *   10 PIN       Pin; by the central peer
 *   11 COMMITMENT u8 previous[32]; u16 operator; u8 commitment[32]; signature
 */

import {
  ADDRESSES_MAX,
  GOSSIP_MAX_BYTES,
  HASH_BYTES,
  KEY_BYTES,
  PROTOCOL_VERSION,
  RELEASE_NAME_BYTES,
  ROSTER_NAME_BYTES,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { type ByteReader, type ByteWriter, byteReader, byteWriter, concatBytes } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import { assertVersion } from '../encoding/version.ts'
import { PIN_BYTES, type Pin, readPin, writePin } from './pin.ts'
import { readSpreadKey, SPREAD_KEY_BYTES, type SpreadKey, writeSpreadKey } from './spread-key.ts'

export const GOSSIP_TOPIC = '/geotrace/gossip/1'

/** PROTOCOL.md §2.1 allots these numbers. */
const KIND_NUMBERS: Readonly<Record<GossipKind, number>> = {
  presence: 0,
  sheets: 1,
  proposal: 2,
  vote: 3,
  reveal: 4,
  change: 5,
  evidence: 6,
  handover: 7,
  'spread-key': 8,
  spread: 9,
  pin: 10,
  commitment: 11,
}
const KINDS = new Map(Object.entries(KIND_NUMBERS).map(([kind, number]) => [number, kind as GossipKind]))

/** Bytes of a presence before its addresses. */
const PRESENCE_HEAD_BYTES = 61

/** A roster as a vote names it. Gossip omits the federation, because only peers of one federation gossip together. */
export interface Ballot {
  /** An operator may vote in two federations with one key. */
  federation: Uint8Array
  height: number
  firstEpoch: number
  hash: Uint8Array
}

type NamedRoster = Omit<Ballot, 'federation'>

/** A member announces its newest roster, its addresses and the release that it claims to run. */
export interface Presence {
  kind: 'presence'
  key: Uint8Array
  /** Unix ms. A later presence replaces an earlier one. */
  time: number
  height: number
  roster: Uint8Array
  /** The first bytes of the id of a release; zeros when the member claims none. No peer can check the claim. */
  release: Uint8Array
  addresses: string[]
  signature: Uint8Array
}
/** A replica's signature under the sheet of one shard. */
export interface SignedSheet {
  shard: number
  root: Uint8Array
  signature: Uint8Array
}
/** The sheets that a member signed for the roster that begins with `firstEpoch`, ascending by shard. */
export interface GossipSheets {
  kind: 'sheets'
  key: Uint8Array
  /** Hash of the roster before. */
  previous: Uint8Array
  firstEpoch: number
  sheets: SignedSheet[]
}
/** An operator asks for votes. `holder` is the peer that serves the body. */
export interface Proposal extends NamedRoster {
  kind: 'proposal'
  holder: Uint8Array
  operator: number
  signature: Uint8Array
}
export interface GossipVote extends NamedRoster {
  kind: 'vote'
  operator: number
  signature: Uint8Array
}
/** An operator commits to a nonce for the roster that follows `previous`. Its index is that in the roster `previous`. */
export interface GossipCommitment {
  kind: 'commitment'
  /** Hash of the newest roster. */
  previous: Uint8Array
  operator: number
  commitment: Uint8Array
  signature: Uint8Array
}
/** Opens a commitment of the roster of `height`, which proves the nonce. `operator` is the index of that commitment. */
export interface GossipReveal {
  kind: 'reveal'
  height: number
  operator: number
  nonce: Uint8Array
}
/** A replica gave another one the seed of their shard, so that all replicas know which of them hold it. */
export interface Handover {
  kind: 'handover'
  giver: Uint8Array
  taker: Uint8Array
  shard: number
  firstEpoch: number
  /** Unix ms. */
  time: number
  signature: Uint8Array
}
/** The central peer pinned the roster of an epoch. */
export type GossipPin = { kind: 'pin' } & Pin
export type GossipMessage =
  | Presence
  | GossipSheets
  | Handover
  | Proposal
  | GossipVote
  | GossipCommitment
  | GossipReveal
  | { kind: 'change'; change: Uint8Array }
  | { kind: 'evidence'; evidence: Uint8Array }
  | ({ kind: 'spread-key' } & SpreadKey)
  | { kind: 'spread'; spread: Uint8Array }
  | GossipPin
export type GossipKind = GossipMessage['kind']

export function signPresence(signer: Signer, presence: Omit<Presence, 'kind' | 'key' | 'signature'>): Presence {
  const unsigned = { ...presence, kind: 'presence' as const, key: signer.key }
  return { ...unsigned, signature: signContent(signer, 'geotrace/presence', presenceContent(unsigned)) }
}

export function isValidPresence(presence: Presence): boolean {
  return isValidSignature(presence.key, 'geotrace/presence', presenceContent(presence), presence.signature)
}

/** A proposal without its kind and signature. */
type UnsignedProposal = Omit<Proposal, 'kind' | 'signature'>

/** The signature names the federation, because an operator may propose in two federations with one key. */
export function signProposal(signer: Signer, federation: Uint8Array, proposal: UnsignedProposal): Proposal {
  const content = concatBytes(federation, proposalBody(proposal))
  return { ...proposal, kind: 'proposal', signature: signContent(signer, 'geotrace/proposal', content) }
}

export function isValidProposal(
  federation: Uint8Array,
  proposal: Omit<Proposal, 'kind'>,
  operatorKey: Uint8Array,
): boolean {
  const content = concatBytes(federation, proposalBody(proposal))
  return isValidSignature(operatorKey, 'geotrace/proposal', content, proposal.signature)
}

export function signHandover(signer: Signer, handover: Omit<Handover, 'kind' | 'giver' | 'signature'>): Handover {
  const unsigned = { ...handover, kind: 'handover' as const, giver: signer.key }
  return { ...unsigned, signature: signContent(signer, 'geotrace/handover', handoverContent(unsigned)) }
}

export function isValidHandover(handover: Handover): boolean {
  return isValidSignature(handover.giver, 'geotrace/handover', handoverContent(handover), handover.signature)
}

export function encodeGossip(message: GossipMessage): Uint8Array {
  const body = encodeBody(message)
  if (body.length + 2 > GOSSIP_MAX_BYTES) {
    throw new RangeError(`message expected at most ${GOSSIP_MAX_BYTES} bytes, got ${body.length + 2}`)
  }
  return concatBytes(Uint8Array.of(PROTOCOL_VERSION, KIND_NUMBERS[message.kind]), body)
}

function encodeBody(message: GossipMessage): Uint8Array {
  switch (message.kind) {
    case 'presence':
      return concatBytes(presenceContent(message), message.signature)
    case 'sheets': {
      const { key, previous, firstEpoch, sheets } = message
      const writer = byteWriter(70 + sheets.length * 98)
        .bytes(key, KEY_BYTES)
        .bytes(previous, HASH_BYTES)
        .u32(firstEpoch)
        .u16(sheets.length)
      for (const { shard, root, signature } of [...sheets].sort((a, b) => a.shard - b.shard)) {
        writer.u16(shard).bytes(root, HASH_BYTES).bytes(signature, SIGNATURE_BYTES)
      }
      return writer.finish()
    }
    case 'proposal':
      return concatBytes(proposalBody(message), message.signature)
    case 'vote': {
      const writer = writeBallot(byteWriter(106), message).u16(message.operator)
      return writer.bytes(message.signature, SIGNATURE_BYTES).finish()
    }
    case 'commitment': {
      const writer = byteWriter(130).bytes(message.previous, HASH_BYTES).u16(message.operator)
      return writer.bytes(message.commitment, HASH_BYTES).bytes(message.signature, SIGNATURE_BYTES).finish()
    }
    case 'reveal':
      return byteWriter(38).u32(message.height).u16(message.operator).bytes(message.nonce, HASH_BYTES).finish()
    case 'change':
      return message.change
    case 'evidence':
      return message.evidence
    case 'handover':
      return concatBytes(handoverContent(message), message.signature)
    case 'spread-key':
      return writeSpreadKey(byteWriter(SPREAD_KEY_BYTES), message).finish()
    case 'spread':
      return message.spread
    case 'pin':
      return writePin(byteWriter(PIN_BYTES), message).finish()
  }
}

/** Decodes only; the receiver checks signatures. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeGossip(bytes: Uint8Array): GossipMessage {
  const reader = byteReader(bytes)
  if (bytes.length > GOSSIP_MAX_BYTES) reader.refuse(`expected at most ${GOSSIP_MAX_BYTES} bytes, got ${bytes.length}`)
  assertVersion(reader.u8())
  const kind = KINDS.get(reader.u8()) ?? reader.refuse('expected an allotted kind of gossip')
  const message = readBody(reader, kind)
  reader.end()
  return message
}

function readBody(reader: ByteReader, kind: GossipKind): GossipMessage {
  const signature = (): Uint8Array => reader.bytes(SIGNATURE_BYTES)
  switch (kind) {
    case 'presence': {
      const head = { key: reader.bytes(KEY_BYTES), time: reader.time(), height: reader.u32() }
      const [roster, release] = [reader.bytes(ROSTER_NAME_BYTES), reader.bytes(RELEASE_NAME_BYTES)]
      const count = reader.u8()
      if (count > ADDRESSES_MAX) reader.refuse(`expected at most ${ADDRESSES_MAX} addresses, got ${count}`)
      const addresses = Array.from({ length: count }, () => readText(reader))
      return { kind, ...head, roster, release, addresses, signature: signature() }
    }
    case 'sheets': {
      const head = { key: reader.bytes(KEY_BYTES), previous: reader.bytes(HASH_BYTES), firstEpoch: reader.u32() }
      const sheets = Array.from({ length: reader.u16() }, () => ({
        shard: reader.u16(),
        root: reader.bytes(HASH_BYTES),
        signature: signature(),
      }))
      if (sheets.some(({ shard }, i) => i > 0 && shard <= sheets[i - 1]!.shard))
        reader.refuse('expected ascending shards, each once')
      return { kind, ...head, sheets }
    }
    case 'handover': {
      const head = { giver: reader.bytes(KEY_BYTES), taker: reader.bytes(KEY_BYTES), shard: reader.u16() }
      return { kind, ...head, firstEpoch: reader.u32(), time: reader.time(), signature: signature() }
    }
    case 'proposal': {
      const ballot = readBallot(reader)
      return { kind, ...ballot, holder: reader.bytes(KEY_BYTES), operator: reader.u16(), signature: signature() }
    }
    case 'vote': {
      const ballot = readBallot(reader)
      return { kind, ...ballot, operator: reader.u16(), signature: signature() }
    }
    case 'commitment': {
      const head = { previous: reader.bytes(HASH_BYTES), operator: reader.u16() }
      return { kind, ...head, commitment: reader.bytes(HASH_BYTES), signature: signature() }
    }
    case 'reveal':
      return { kind, height: reader.u32(), operator: reader.u16(), nonce: reader.bytes(HASH_BYTES) }
    case 'change':
      return { kind, change: reader.bytes(reader.left) }
    case 'evidence':
      return { kind, evidence: reader.bytes(reader.left) }
    case 'spread-key':
      return { kind, ...readSpreadKey(reader) }
    case 'spread':
      return { kind, spread: reader.bytes(reader.left) }
    case 'pin':
      return { kind, ...readPin(reader) }
  }
}

function presenceContent(presence: Omit<Presence, 'kind' | 'signature'>): Uint8Array {
  const { key, time, height, roster, release, addresses } = presence
  const texts = addresses.map((address) => encoder.encode(address))
  const writer = byteWriter(texts.reduce((sum, text) => sum + 1 + text.length, PRESENCE_HEAD_BYTES))
  writer.bytes(key, KEY_BYTES).time(time).u32(height).bytes(roster, ROSTER_NAME_BYTES)
  writer.bytes(release, RELEASE_NAME_BYTES).u8(texts.length)
  for (const text of texts) writer.u8(text.length).bytes(text)
  return writer.finish()
}

function handoverContent({ giver, taker, shard, firstEpoch, time }: Omit<Handover, 'kind' | 'signature'>): Uint8Array {
  const writer = byteWriter(78).bytes(giver, KEY_BYTES).bytes(taker, KEY_BYTES)
  return writer.u16(shard).u32(firstEpoch).time(time).finish()
}

function proposalBody({ holder, operator, ...ballot }: UnsignedProposal): Uint8Array {
  return writeBallot(byteWriter(106), ballot).bytes(holder, KEY_BYTES).u16(operator).finish()
}

function writeBallot(writer: ByteWriter, { height, firstEpoch, hash }: NamedRoster): ByteWriter {
  return writer.u32(height).u32(firstEpoch).bytes(hash, HASH_BYTES)
}

function readBallot(reader: ByteReader): NamedRoster {
  return { height: reader.u32(), firstEpoch: reader.u32(), hash: reader.bytes(HASH_BYTES) }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()
/** Reads printable ASCII, which is enough for a multiaddr. */
function readText(reader: ByteReader): string {
  const bytes = reader.bytes(reader.u8())
  if (bytes.some((byte) => byte < 0x21 || byte > 0x7e)) reader.refuse('expected printable ASCII')
  return decoder.decode(bytes)
}
