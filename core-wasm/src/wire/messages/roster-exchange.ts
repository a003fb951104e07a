/**
 * /geotrace/roster/1: rosters for everybody, and the agreement in progress for members. PROTOCOL.md §7.3.
 *
 *  request: u8 version; u8 op; body           reply: u8 status (otherwise u32 number); body
 *    0 GET      u32 height                       CertifiedRoster CBOR, or nothing when there is none
 *    1 BODY     u8 hash[32]                      a proposal as CertifiedRoster CBOR without votes, or nothing
 *    2 POOL     –                                count u16, { u16 length, gossip message }
 *    3 TIME     –                                u64 Unix ms; u8 federation[32]
 *    4 SUBMIT   gossip message                   –
 *    5 NEWS     u32 height; u32 epoch            u8 count ≤ 48, Pin[count], RosterStep or nothing
 *    6 NAMED    u8 form; u8 roster[8]            CertifiedRoster CBOR (form 0) or RosterStep (1), or nothing
 *    7 SPREAD_KEYS  u32 period                   u8 count ≤ 2, SpreadKey[count]: the mixer's, the teller's
 *    8 SPREAD   u32 period                       Spread, or nothing
 *    9 PRESENCE –                                the peer's own presence as a gossip message, or nothing
 * NEWS brings the step of that height and the pins from that epoch on. NAMED also finds overtaken rosters.
 * GET, NEWS, NAMED, TIME, SPREAD_KEYS, SPREAD, PRESENCE and SUBMIT of evidence and pins are for everybody; the other
 * operations only between members. A node that applied to join gets its own application by POOL.
 */

import { GOSSIP_MAX_BYTES, HASH_BYTES, PINS_MAX, PROTOCOL_VERSION, ROSTER_NAME_BYTES } from '../constants.ts'
import { type ByteReader, byteReader, byteWriter } from '../encoding/bytes.ts'
import { ROSTER_FRAME_MAX_BYTES } from '../encoding/protocols.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'
import { PIN_BYTES, type Pin, readPin, writePin } from './pin.ts'
import { readSpreadKey, SPREAD_KEY_BYTES, type SpreadKey, writeSpreadKey } from './spread-key.ts'

const OPS = ['get', 'body', 'pool', 'time', 'submit', 'news', 'named', 'spread-keys', 'spread', 'presence'] as const

/** A mixer and a teller. */
const SPREAD_KEYS_MAX = 2

/** The forms in which NAMED gives a roster, in the order of their bytes. */
const NAMED_FORMS = ['certificate', 'step'] as const

export type RosterRequest =
  | { op: 'get'; height: number }
  | { op: 'body'; hash: Uint8Array }
  | { op: 'pool' }
  | { op: 'time' }
  | { op: 'presence' }
  | { op: 'submit'; message: Uint8Array }
  | { op: 'news'; height: number; epoch: number }
  | { op: 'named'; form: (typeof NAMED_FORMS)[number]; roster: Uint8Array }
  | { op: 'spread-keys' | 'spread'; period: number }

/** The reply to NEWS. */
interface RosterNews {
  /** Ascending by epoch. */
  pins: readonly Pin[]
  /** A RosterStep; undefined when the peer has none of that height. */
  step: Uint8Array | undefined
}

export function encodeRosterRequest(request: RosterRequest): Uint8Array {
  const writer = byteWriter(requestSize(request)).u8(PROTOCOL_VERSION).u8(OPS.indexOf(request.op))
  if (request.op === 'get' || request.op === 'news') writer.u32(request.height)
  if (request.op === 'news') writer.u32(request.epoch)
  if (request.op === 'named') writer.u8(NAMED_FORMS.indexOf(request.form)).bytes(request.roster, ROSTER_NAME_BYTES)
  if (request.op === 'spread-keys' || request.op === 'spread') writer.u32(request.period)
  if (request.op === 'body') writer.bytes(request.hash, HASH_BYTES)
  if (request.op === 'submit') writer.bytes(request.message)
  return writer.finish()
}

/** An upper bound of the size. For SUBMIT the bound is exact, because a small writer allocates its bound at once. */
function requestSize(request: RosterRequest): number {
  return request.op === 'submit' ? 2 + request.message.length : 2 + HASH_BYTES
}

/** Throws MESSAGE_MALFORMED, VERSION_UNKNOWN. */
export function decodeRosterRequest(bytes: Uint8Array): RosterRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const op = OPS[reader.u8()] ?? reader.refuse('expected an operation 0 to 9')
  const request = readRequest(reader, op)
  reader.end()
  return request
}

function readRequest(reader: ByteReader, op: RosterRequest['op']): RosterRequest {
  switch (op) {
    case 'get':
      return { op, height: reader.u32() }
    case 'news':
      return { op, height: reader.u32(), epoch: reader.u32() }
    case 'named': {
      const form = NAMED_FORMS[reader.u8()] ?? reader.refuse('expected a form 0 or 1')
      return { op, form, roster: reader.bytes(ROSTER_NAME_BYTES) }
    }
    case 'body':
      return { op, hash: reader.bytes(HASH_BYTES) }
    case 'submit':
      if (reader.left > GOSSIP_MAX_BYTES)
        reader.refuse(`expected at most ${GOSSIP_MAX_BYTES} bytes, got ${reader.left}`)
      return { op, message: reader.bytes(reader.left) }
    case 'spread-keys':
    case 'spread':
      return { op, period: reader.u32() }
    case 'pool':
    case 'time':
    case 'presence':
      return { op }
  }
}

/** The reply to GET, BODY (a roster with its signatures so far), NAMED and SPREAD; empty when there is no such body. */
export function encodeRosterReply(encoded: Uint8Array = new Uint8Array(0)): Uint8Array {
  return byteWriter(1 + encoded.length)
    .u8(STATUS_OK)
    .bytes(encoded)
    .finish()
}

export function decodeRosterReply(bytes: Uint8Array): Uint8Array | undefined {
  const reader = opened(bytes)
  return reader.left === 0 ? undefined : reader.bytes(reader.left)
}

/** The pins of the newest epochs when there are more than `PINS_MAX`. */
export function encodeNewsReply({ pins, step = new Uint8Array(0) }: RosterNews): Uint8Array {
  const newest = pins.slice(-PINS_MAX)
  const writer = byteWriter(2 + newest.length * PIN_BYTES + step.length)
  writer.u8(STATUS_OK).u8(newest.length)
  for (const pin of newest) writePin(writer, pin)
  return writer.bytes(step).finish()
}

export function decodeNewsReply(bytes: Uint8Array): RosterNews {
  const reader = opened(bytes)
  const count = reader.u8()
  if (count > PINS_MAX) reader.refuse(`expected at most ${PINS_MAX} pins, got ${count}`)
  const pins = Array.from({ length: count }, () => readPin(reader))
  if (pins.some(({ epoch }, i) => i > 0 && epoch <= pins[i - 1]!.epoch))
    reader.refuse('expected ascending epochs, each once')
  return { pins, step: reader.left === 0 ? undefined : reader.bytes(reader.left) }
}

/** The reply to POOL with as many of the messages as a frame holds. */
export function encodePoolReply(messages: readonly Uint8Array[]): Uint8Array {
  const fits: Uint8Array[] = []
  let size = 3
  for (const message of messages) {
    if (size + 2 + message.length > ROSTER_FRAME_MAX_BYTES) break
    size += 2 + message.length
    fits.push(message)
  }
  const writer = byteWriter(size).u8(STATUS_OK).u16(fits.length)
  for (const message of fits) writer.u16(message.length).bytes(message)
  return writer.finish()
}

export function decodePoolReply(bytes: Uint8Array): Uint8Array[] {
  const reader = opened(bytes)
  const messages = Array.from({ length: reader.u16() }, () => reader.bytes(reader.u16()))
  reader.end()
  return messages
}

/** The reply to SUBMIT, which is empty. */
export function encodeDone(): Uint8Array {
  return Uint8Array.of(STATUS_OK)
}

export function decodeDone(bytes: Uint8Array): void {
  opened(bytes).end()
}

/** The time of a peer, and the id of the federation whose manifest it runs with. */
interface TimeReply {
  /** Unix ms. */
  time: number
  federation: Uint8Array
}

export function encodeTimeReply({ time, federation }: TimeReply): Uint8Array {
  return byteWriter(9 + HASH_BYTES)
    .u8(STATUS_OK)
    .time(time)
    .bytes(federation, HASH_BYTES)
    .finish()
}

export function decodeTimeReply(bytes: Uint8Array): TimeReply {
  const reader = opened(bytes)
  const reply = { time: reader.time(), federation: reader.bytes(HASH_BYTES) }
  reader.end()
  return reply
}

/** The keys that the peer knows: the mixer's, then the teller's. */
export function encodeSpreadKeysReply(keys: readonly SpreadKey[]): Uint8Array {
  const writer = byteWriter(2 + SPREAD_KEYS_MAX * SPREAD_KEY_BYTES)
    .u8(STATUS_OK)
    .u8(keys.length)
  for (const key of keys) writeSpreadKey(writer, key)
  return writer.finish()
}

/** Decodes only; `isValidSpreadKey` checks the signatures. Throws the refusal's error, MESSAGE_MALFORMED. */
export function decodeSpreadKeysReply(bytes: Uint8Array): SpreadKey[] {
  const reader = opened(bytes)
  const count = reader.u8()
  if (count > SPREAD_KEYS_MAX) reader.refuse(`expected at most ${SPREAD_KEYS_MAX} keys, got ${count}`)
  const keys = Array.from({ length: count }, () => readSpreadKey(reader))
  reader.end()
  return keys
}

function opened(bytes: Uint8Array): ByteReader {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  return reader
}
