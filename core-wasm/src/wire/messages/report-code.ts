/**
 * Report codes as people type them: Crockford's base32, XXXX-XXXX-XXXX-XXXX, 80 bits. PROTOCOL.md §8.
 * Parsing accepts lower case, spaces, O for 0, and I or L for 1. Throws CODE_UNKNOWN.
 */
import { REPORT_CODE_BYTES } from '../constants.ts'
import { FederationError } from '../errors.ts'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const DIGITS = (REPORT_CODE_BYTES * 8) / 5

/** The 10 bytes of a code. Throws CODE_UNKNOWN for a text that cannot be a code, before it costs an attempt. */
export function parseReportCode(text: string): Uint8Array {
  const digits = [...text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')]
  const values = digits.map((digit) => ALPHABET.indexOf(digit))
  if (values.length !== DIGITS || values.includes(-1)) {
    throw new FederationError(
      'CODE_UNKNOWN',
      `expected ${DIGITS} letters and digits like 7K3D-9QWX-0A1B-2C3D, got ${digits.length}: check the report code`,
    )
  }
  let bits = 0n
  for (const value of values) bits = (bits << 5n) | BigInt(value)
  return Uint8Array.from({ length: REPORT_CODE_BYTES }, (_, i) =>
    Number((bits >> BigInt(8 * (REPORT_CODE_BYTES - 1 - i))) & 0xffn),
  )
}

export function formatReportCode(code: Uint8Array): string {
  if (code.length !== REPORT_CODE_BYTES) throw new RangeError(`"code" expected 10 bytes, got ${code.length}`)
  let bits = 0n
  for (const byte of code) bits = (bits << 8n) | BigInt(byte)
  const digits = Array.from(
    { length: DIGITS },
    (_, i) => ALPHABET[Number((bits >> BigInt(5 * (DIGITS - 1 - i))) & 31n)],
  )
  return digits.join('').replaceAll(/(.{4})(?=.)/g, '$1-')
}
