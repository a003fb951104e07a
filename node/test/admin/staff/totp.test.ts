import { utf8 } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { codeToStep, stepToCode, timeToStep, toBase32, toTotpUri } from '../../../src/admin/staff/totp.ts'

const SECRET = utf8('12345678901234567890')

describe('codes of an authenticator app', () => {
  it.each([
    [59, '94287082'],
    [1_111_111_109, '07081804'],
    [1_111_111_111, '14050471'],
    [1_234_567_890, '89005924'],
    [2_000_000_000, '69279037'],
    [20_000_000_000, '65353130'],
  ])('at second %i the code is %s, as in RFC 6238, appendix B', (second, code) => {
    expect(stepToCode(SECRET, timeToStep(second * 1000), 8)).toBe(code)
    expect(stepToCode(SECRET, timeToStep(second * 1000))).toBe(code.slice(2))
  })

  it('a code counts in its step and one before or after, and only above the last step', () => {
    const nowMs = 1_234_567_890_000
    const now = timeToStep(nowMs)
    const at = (step: number, last = 0) => codeToStep(SECRET, stepToCode(SECRET, step), nowMs, last)
    expect([-2, -1, 0, 1, 2].map((n) => at(now + n))).toEqual([undefined, now - 1, now, now + 1, undefined])
    expect([at(now, now - 1), at(now, now), at(now - 1, now), at(now + 1, now)]).toEqual([
      ...[now, undefined, undefined, now + 1],
    ])
    for (const text of ['', '12345', '1234567', 'äöü123', '      '])
      expect(codeToStep(SECRET, text, nowMs, 0)).toBe(undefined)
  })

  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foobar', 'MZXW6YTBOI'],
  ])('the base32 of "%s" is "%s", as in RFC 4648 without padding', (text, base32) => {
    expect(toBase32(utf8(text))).toBe(base32)
  })

  it('an app reads the account and the secret from the address', () => {
    const url = new URL(toTotpUri('anna', toBase32(SECRET)))
    expect([url.protocol, url.pathname, url.searchParams.get('secret')]).toEqual([
      ...['otpauth:', '/Geo%20Trace:anna', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'],
    ])
  })
})
