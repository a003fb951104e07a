/**
 * The frame from a device to a relay: a sealed frame, or one that a token pays for. PROTOCOL.md §7.6. The relay takes the token off
 * and passes the rest on unchanged. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN.
 *
 *  struct PaidFrame {
 *    u8 version;     // 2
 *    u8 token[354];  // of the kind `relay`, for this relay and day
 *    u8 sealed[];    // version 1
 *  }
 */
import { PAID_FRAME_BYTES, TOKEN_BYTES } from '../constants.ts'
import { byteReader, byteWriter } from '../encoding/bytes.ts'
import { assertVersion } from '../encoding/version.ts'

const PAID_VERSION = 2

export function encodePaidFrame(token: Uint8Array, sealed: Uint8Array): Uint8Array {
  return byteWriter(PAID_FRAME_BYTES + sealed.length)
    .u8(PAID_VERSION)
    .bytes(token, TOKEN_BYTES)
    .bytes(sealed)
    .finish()
}

/** Takes the token off; without one the frame is the sealed frame. */
export function openPaidFrame(frame: Uint8Array): { sealed: Uint8Array; token: Uint8Array | undefined } {
  const isPaid = frame[0] === PAID_VERSION
  const reader = byteReader(frame)
  if (isPaid) reader.u8()
  const token = isPaid ? reader.bytes(TOKEN_BYTES) : undefined
  const sealed = frame.subarray(isPaid ? PAID_FRAME_BYTES : 0)
  assertVersion(byteReader(sealed).u8())
  return { sealed, token }
}
