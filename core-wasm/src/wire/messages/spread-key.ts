/**
 * The key of a role of the spread: the X25519 key to which devices seal the slips of one period. PROTOCOL.md §9.7.
 * Two keys of one member for one period are evidence: a device could be recognised by the key that it got.
 *
 *  struct SpreadKey { u8 key[32]; u32 period; u8 slipKey[32]; u8 signature[64] }
 */
import { HASH_BYTES, KEY_BYTES, SIGNATURE_BYTES } from '../constants.ts'
import { type ByteReader, type ByteWriter, byteWriter } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'

export interface SpreadKey {
  /** The member's Ed25519 key. */
  key: Uint8Array
  period: number
  /** X25519, 32 bytes. */
  slipKey: Uint8Array
  signature: Uint8Array
}

export const SPREAD_KEY_BYTES = KEY_BYTES + 4 + KEY_BYTES + SIGNATURE_BYTES

export function signSpreadKey(member: Signer, federation: Uint8Array, period: number, slipKey: Uint8Array): SpreadKey {
  const signature = signContent(member, 'geotrace/spread-key', spreadKeyContent(federation, period, slipKey))
  return { key: member.key, period, slipKey, signature }
}

export function isValidSpreadKey({ key, period, slipKey, signature }: SpreadKey, federation: Uint8Array): boolean {
  return isValidSignature(key, 'geotrace/spread-key', spreadKeyContent(federation, period, slipKey), signature)
}

export function writeSpreadKey(writer: ByteWriter, { key, period, slipKey, signature }: SpreadKey): ByteWriter {
  writer.bytes(key, KEY_BYTES).u32(period)
  return writer.bytes(slipKey, KEY_BYTES).bytes(signature, SIGNATURE_BYTES)
}

/** Reads only; `isValidSpreadKey` checks the signature. Throws MESSAGE_MALFORMED. */
export function readSpreadKey(reader: ByteReader): SpreadKey {
  const head = { key: reader.bytes(KEY_BYTES), period: reader.u32() }
  return { ...head, slipKey: reader.bytes(KEY_BYTES), signature: reader.bytes(SIGNATURE_BYTES) }
}

function spreadKeyContent(federation: Uint8Array, period: number, slipKey: Uint8Array): Uint8Array {
  const writer = byteWriter(HASH_BYTES + 4 + KEY_BYTES).bytes(federation, HASH_BYTES)
  return writer.u32(period).bytes(slipKey, KEY_BYTES).finish()
}
