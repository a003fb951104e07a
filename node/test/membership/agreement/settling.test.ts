import { expect, it } from 'vitest'
import { settling } from '../../../src/membership/agreement/settling.ts'

it('a proposal settles three seconds after it was first seen, each by itself', () => {
  let now = 1_000
  const hasSettled = settling({ now: () => now })
  const [one, two] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
  expect(hasSettled(one)).toBe(false)
  now += 2_999
  expect([hasSettled(one), hasSettled(two)]).toEqual([false, false])
  now += 1
  expect([hasSettled(one), hasSettled(two)]).toEqual([true, false])
  now += 2_999
  expect(hasSettled(two)).toBe(true)
})
