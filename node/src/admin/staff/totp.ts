/**
 * Codes that change every thirty seconds, from a secret that the server and an authenticator app share. RFC 6238, with
 * HMAC-SHA-1 and six digits, which every such app takes. Pure.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

const STEP_S = 30
const DIGITS = 6
const CODE = /^[0-9]{6}$/
/** Steps before and after the one of the server's clock, for the clock of a phone. */
const SKEW_STEPS = 1
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export const TOTP_SECRET_BYTES = 20

/** The code of a step. RFC 4226 §5.3. */
export function stepToCode(secret: Uint8Array, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const mac = createHmac('sha1', secret).update(counter).digest()
  const number = mac.readUInt32BE(mac[mac.length - 1]! & 0xf) & 0x7fffffff
  return String(number % 10 ** digits).padStart(digits, '0')
}

/** The step of a code that is valid now and later than `lastStep`; undefined for any other code. */
export function codeToStep(secret: Uint8Array, code: string, nowMs: number, lastStep: number): number | undefined {
  if (!CODE.test(code)) return undefined
  const now = timeToStep(nowMs)
  for (let step = now - SKEW_STEPS; step <= now + SKEW_STEPS; step++) {
    const isEqual = timingSafeEqual(Buffer.from(code), Buffer.from(stepToCode(secret, step)))
    if (isEqual && step > lastStep) return step
  }
  return undefined
}

export function timeToStep(nowMs: number): number {
  return Math.floor(nowMs / 1000 / STEP_S)
}

/** The secret as a person types it into an app. RFC 4648 §6, without padding. */
export function toBase32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => BASE32[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** The address that an authenticator app reads from a QR code. */
export function toTotpUri(account: string, secret: string): string {
  return `otpauth://totp/Geo%20Trace:${account}?secret=${secret}&issuer=Geo%20Trace`
}
