import { isFederationError } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { allowance } from '../../../src/cli/process/allowance.ts'

it('the traffic limit admits the bytes of one day at once, and then as many as the bucket regains', () => {
  const traffic = allowance(86_400, 0)
  const refused = (spent: number, nowMs: number) => {
    try {
      traffic.assert(spent, nowMs)
      return false
    } catch (error) {
      return isFederationError(error, 'BUSY')
    }
  }
  expect(refused(86_399, 0)).toBe(false)
  expect(refused(86_400, 0)).toBe(true)
  // The bucket regains one byte a second.
  expect(refused(86_400, 2_000)).toBe(false)
  expect(refused(86_402, 2_000)).toBe(true)
  // A clock that steps back adds nothing, and after a year the bucket holds one day.
  expect(refused(86_402, 0)).toBe(true)
  expect(refused(86_402, 365 * 86_400_000)).toBe(false)
  expect(refused(86_402 + 86_400, 365 * 86_400_000)).toBe(true)
})
