import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatReportCode, parseReportCode } from '../../../src/wire/messages/report-code.ts'

describe('a report code', () => {
  it('a report code is written in Crockford’s base32, in four groups of four', () => {
    // By hand: the bits 00000 00001 00010 … are 0, 1, 2 …, and the last of 32 digits is Z.
    const counted = Uint8Array.of(0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf)
    expect(formatReportCode(counted)).toBe('0123-4567-89AB-CDEF')
    expect(formatReportCode(new Uint8Array(10).fill(255))).toBe('ZZZZ-ZZZZ-ZZZZ-ZZZZ')
    expect(() => formatReportCode(new Uint8Array(9))).toThrow(RangeError)
  })

  it('a report code reads back in lower case, with spaces, and with O, I and L for 0 and 1', () => {
    const code = fc.uint8Array({ minLength: 10, maxLength: 10 })
    fc.assert(
      fc.property(code, (bytes) => {
        const typed = formatReportCode(bytes).toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')
        expect(parseReportCode(` ${typed.replaceAll('1', 'l')} `)).toEqual(Uint8Array.from(bytes))
      }),
    )
    expect(parseReportCode('oil0-0000-0000-0000')).toEqual(parseReportCode('0110-0000-0000-0000'))
  })

  it.each(['', '0123-4567-89AB-CDE', '0123-4567-89AB-CDEFG', 'U123-4567-89AB-CDEF', '!!!!-0000-0000-0000'])(
    'the text "%s" is refused with CODE_UNKNOWN',
    (text) => {
      expect(() => parseReportCode(text)).toThrow(expect.objectContaining({ code: 'CODE_UNKNOWN' }))
    },
  )
})
