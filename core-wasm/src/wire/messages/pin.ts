/**
 * A pin: the central peer's signed choice of the one roster whose salts count for an epoch. PROTOCOL.md §4.11.
 * Two pins of one epoch with different rosters are evidence against the central peer.
 *
 *  struct Pin { u32 epoch; u8 roster[32]; u8 signature[64] }
 */
import { HASH_BYTES, SIGNATURE_BYTES } from '../constants.ts'
import { type ByteReader, type ByteWriter, byteWriter } from '../encoding/bytes.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'

export interface Pin {
  epoch: number
  /** The roster's hash, 32 bytes. */
  roster: Uint8Array
  signature: Uint8Array
}

export const PIN_BYTES = 4 + HASH_BYTES + SIGNATURE_BYTES

/** `federation` is the federation id. One authority may run central peers of several federations with one key. */
export function signPin(central: Signer, federation: Uint8Array, epoch: number, roster: Uint8Array): Pin {
  return { epoch, roster, signature: signContent(central, 'geotrace/pin', pinContent(federation, epoch, roster)) }
}

export function isValidPin({ epoch, roster, signature }: Pin, federation: Uint8Array, centralKey: Uint8Array): boolean {
  return isValidSignature(centralKey, 'geotrace/pin', pinContent(federation, epoch, roster), signature)
}

export function writePin(writer: ByteWriter, { epoch, roster, signature }: Pin): ByteWriter {
  return writer.u32(epoch).bytes(roster, HASH_BYTES).bytes(signature, SIGNATURE_BYTES)
}

/** Reads only; `isValidPin` checks the signature. Throws MESSAGE_MALFORMED. */
export function readPin(reader: ByteReader): Pin {
  return { epoch: reader.u32(), roster: reader.bytes(HASH_BYTES), signature: reader.bytes(SIGNATURE_BYTES) }
}

function pinContent(federation: Uint8Array, epoch: number, roster: Uint8Array): Uint8Array {
  const writer = byteWriter(2 * HASH_BYTES + 4).bytes(federation, HASH_BYTES)
  return writer.u32(epoch).bytes(roster, HASH_BYTES).finish()
}
