import { describe, expect, it } from 'vitest'
import { pageLogin } from '../../src/admin/page-login.ts'
import { OPERATOR } from '../../src/admin/staff/roles.ts'
import { systemRandom } from '../../src/platform/random.ts'

describe('the login of the status page', () => {
  let nowMs = 0

  it('a session ends after ten hours', () => {
    const login = pageLogin(systemRandom, () => nowMs)
    const session = login.enter(login.newCode(OPERATOR))!
    nowMs += 10 * 3_600_000 - 1
    expect(login.callerOf(session)).toBe(OPERATOR)
    nowMs += 1
    expect(login.callerOf(session)).toBeUndefined()
  })

  it('the page login opens one session for each code, and none for a code that it did not make', () => {
    const login = pageLogin(systemRandom, () => nowMs)
    const code = login.newCode(OPERATOR)
    expect(login.enter('0'.repeat(32))).toBeUndefined()
    const session = login.enter(code)!
    expect(login.callerOf(session)).toBe(OPERATOR)
    expect(login.callerOf(code)).toBeUndefined()
    expect(login.enter(code)).toBeUndefined()
  })

  it('the page login keeps only the newest 4 codes and the newest 16 sessions', () => {
    const login = pageLogin(systemRandom, () => nowMs)
    const codes = Array.from({ length: 5 }, () => login.newCode(OPERATOR))
    expect(login.enter(codes[0]!)).toBeUndefined()
    const first = login.enter(codes[1]!)!
    for (let i = 0; i < 15; i++) expect(login.enter(login.newCode(OPERATOR))).toBeDefined()
    expect(login.callerOf(first)).toBe(OPERATOR)
    login.enter(login.newCode(OPERATOR))
    expect(login.callerOf(first)).toBeUndefined()
  })
})
