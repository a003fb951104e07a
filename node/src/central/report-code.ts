/**
 * Report codes as people read them out: Crockford's base32, XXXX-XXXX-XXXX-XXXX, 80 bits. PROTOCOL.md §8. Pure.
 * Lower case, spaces, O for 0 and I or L for 1 are understood.
 */
import { FederationError, REPORT_CODE_BYTES } from '@geotrace/core-wasm/wire'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const DIGITS = (REPORT_CODE_BYTES * 8) / 5

export function formatReportCode(code: Uint8Array): string {
  if (code.length !== REPORT_CODE_BYTES) throw new RangeError(`"code" expected 10 bytes, got ${code.length}`)
  const bits = [...code].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  const digits = bits.match(/.{5}/g)!.map((five) => ALPHABET[Number.parseInt(five, 2)]!)
  return digits.join('').match(/.{4}/g)!.join('-')
}

/** Ten bytes. Throws CODE_UNKNOWN for what cannot be a code. */
export function parseReportCode(text: string): Uint8Array {
  const typed = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  const values = [...typed].map((digit) => ALPHABET.indexOf(digit))
  if (values.length !== DIGITS || values.includes(-1)) {
    throw new FederationError('CODE_UNKNOWN', `a report code has ${DIGITS} letters and digits`)
  }
  const bits = values.map((value) => value.toString(2).padStart(5, '0')).join('')
  return Uint8Array.from(bits.match(/.{8}/g)!, (byte) => Number.parseInt(byte, 2))
}
