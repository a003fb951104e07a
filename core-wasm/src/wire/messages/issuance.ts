/**
 * The issuance of tokens: what a sealed frame carries in the place of a sync. PROTOCOL.md §7.8. It has the sizes of a sync, so
 * a relay cannot tell the two apart. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, and in a reply the refusal's error.
 *
 *  struct IssuanceRequest {                      struct IssuanceReply {
 *    u8  form;      // 129                         u8  status;   // 0; otherwise u32 number and the end
 *    u32 minute;    // proved Unix minutes         u64 time;     // the issuer's clock, Unix ms
 *    u8  enrolment[32];                            u8  outcome;  // ENROLMENT_OUTCOMES
 *    u8  code[10];  // zeros: none                 u8  left;     // tokens that this device may still have today
 *    u8  keyId[32]; // of the issuer's key         u8  count;    // of the request, or 0
 *    u8  count;     // 0..16                       u8  signature[count][256];
 *    u8  message[count][256];                      u8  zero[];   // up to the one reply size
 *    u8  zero[];    // up to a size class        }
 *  }
 */
import { REPORT_CODE_BYTES, SECRET_BYTES, TOKENS_PER_DAY_MAX } from '../constants.ts'
import { byteReader, byteWriter, concatBytes } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'

/** The first byte of an issuance. A sync begins with its version. */
export const ISSUANCE_FORM = 129
const MESSAGE_BYTES = 256
const KEY_ID_BYTES = 32
const MINUTE_AT = 1
const REQUEST_HEAD_BYTES = MINUTE_AT + 4 + SECRET_BYTES + REPORT_CODE_BYTES + KEY_ID_BYTES + 1
const REPLY_HEAD_BYTES = 1 + 8 + 3
const NO_CODE = new Uint8Array(REPORT_CODE_BYTES)

/** In the order of their numbers. `enrolled`: the device may have tokens. The others say why it may not. */
const ENROLMENT_OUTCOMES = ['enrolled', 'not-enrolled', 'code-unknown', 'code-spent', 'code-expired'] as const
export type EnrolmentOutcome = (typeof ENROLMENT_OUTCOMES)[number]

export interface IssuanceRequest {
  minute: number
  /** Names the enrolled device to the issuer. It is in no sync, and no sync has a part of it. */
  enrolment: Uint8Array
  /** Enrols the device; undefined when it is enrolled. */
  code: Uint8Array | undefined
  keyId: Uint8Array
  /** Blinded, 256 bytes each. */
  messages: Uint8Array[]
}
export interface IssuanceReply {
  time: number
  outcome: EnrolmentOutcome
  left: number
  /** In the order of the messages. */
  signatures: Uint8Array[]
}

/** Tokens of one frame, so that it is as small as an empty sync, and its reply fits. */
export function tokensPerFrame(classes: readonly number[], replyBytes: number): number {
  const requested = Math.floor((classes[0]! - REQUEST_HEAD_BYTES) / MESSAGE_BYTES)
  return Math.min(TOKENS_PER_DAY_MAX, requested, Math.floor((replyBytes - REPLY_HEAD_BYTES) / MESSAGE_BYTES))
}

/** Throws RangeError when no class holds the messages. */
export function encodeIssuanceRequest(request: IssuanceRequest, classes: readonly number[]): Uint8Array {
  const { minute, enrolment, code = NO_CODE, keyId, messages } = request
  const size = classes.find((item) => item >= REQUEST_HEAD_BYTES + messages.length * MESSAGE_BYTES)
  if (size === undefined || messages.length > TOKENS_PER_DAY_MAX)
    throw new RangeError(`"messages" expected to fit a size class, got ${messages.length}`)
  const writer = byteWriter(size).u8(ISSUANCE_FORM).u32(minute).bytes(enrolment, SECRET_BYTES)
  writer.bytes(code, REPORT_CODE_BYTES).bytes(keyId, KEY_ID_BYTES).u8(messages.length)
  for (const message of messages) writer.bytes(message, MESSAGE_BYTES)
  return writer.bytes(new Uint8Array(size - writer.length)).finish()
}

export function decodeIssuanceRequest(bytes: Uint8Array, classes: readonly number[]): IssuanceRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8(), ISSUANCE_FORM)
  if (!classes.includes(bytes.length)) reader.refuse(`expected one of ${classes.join(', ')} bytes, got ${bytes.length}`)
  const minute = reader.u32()
  const enrolment = reader.bytes(SECRET_BYTES)
  const code = reader.bytes(REPORT_CODE_BYTES)
  const keyId = reader.bytes(KEY_ID_BYTES)
  const count = reader.u8()
  if (count > TOKENS_PER_DAY_MAX) reader.refuse(`expected at most ${TOKENS_PER_DAY_MAX} messages, got ${count}`)
  const messages = Array.from({ length: count }, () => reader.bytes(MESSAGE_BYTES))
  reader.padding()
  return { minute, enrolment, code: code.some((byte) => byte !== 0) ? code : undefined, keyId, messages }
}

/** The bytes that a repetition repeats: all but the minute. */
export function issuanceContent(frame: Uint8Array): Uint8Array {
  return concatBytes(frame.subarray(0, MINUTE_AT), frame.subarray(MINUTE_AT + 4))
}

/** Throws RangeError when the reply does not hold the signatures. */
export function encodeIssuanceReply(reply: IssuanceReply, bytes: number): Uint8Array {
  const writer = byteWriter(bytes).u8(STATUS_OK).time(reply.time).u8(ENROLMENT_OUTCOMES.indexOf(reply.outcome))
  writer.u8(reply.left).u8(reply.signatures.length)
  for (const signature of reply.signatures) writer.bytes(signature, MESSAGE_BYTES)
  return writer.bytes(new Uint8Array(bytes - writer.length)).finish()
}

export function decodeIssuanceReply(bytes: Uint8Array): IssuanceReply {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const time = reader.time()
  const outcome = ENROLMENT_OUTCOMES[reader.u8()] ?? reader.refuse('expected an outcome 0 to 4')
  const left = reader.u8()
  const count = reader.u8()
  if (count > TOKENS_PER_DAY_MAX) reader.refuse(`expected at most ${TOKENS_PER_DAY_MAX} signatures, got ${count}`)
  const signatures = Array.from({ length: count }, () => reader.bytes(MESSAGE_BYTES))
  reader.padding()
  return { time, outcome, left, signatures }
}
