import { describe, expect, it } from 'vitest'
import { pageLogin } from '../../src/admin/page-login.ts'
import { systemRandom } from '../../src/platform/random.ts'

describe('the login of the status page', () => {
  it('the page login opens one session for each code, and none for a code that it did not make', () => {
    const login = pageLogin(systemRandom)
    const code = login.newCode()
    expect(login.enter('0'.repeat(32))).toBeUndefined()
    const session = login.enter(code)!
    expect(login.isSession(session)).toBe(true)
    expect(login.isSession(code)).toBe(false)
    expect(login.enter(code)).toBeUndefined()
  })

  it('the page login keeps only the newest 4 codes and the newest 16 sessions', () => {
    const login = pageLogin(systemRandom)
    const codes = Array.from({ length: 5 }, () => login.newCode())
    expect(login.enter(codes[0]!)).toBeUndefined()
    const first = login.enter(codes[1]!)!
    for (let i = 0; i < 15; i++) expect(login.enter(login.newCode())).toBeDefined()
    expect(login.isSession(first)).toBe(true)
    login.enter(login.newCode())
    expect(login.isSession(first)).toBe(false)
  })
})
