import { describe, expect, inject, it } from 'vitest'
import { flipBits } from './flips.ts'

const FLIPS = inject('storeFlips')

describe('a level store with a flipped bit', () => {
  for (const [i, form] of (['logs', 'tables'] as const).entries()) {
    it(`none of ${FLIPS / 2} flips in the files with ${form} gives a wrong answer without an error`, {
      timeout: 3_600_000,
    }, async () => {
      const { refused, harmless, wrong } = await flipBits(form, FLIPS / 2, 1 + i)
      expect(wrong).toEqual([])
      expect(refused + harmless).toBe(FLIPS / 2)
      // Flips that reach nothing of the store would prove nothing.
      expect(refused).toBeGreaterThan(FLIPS / 8)
    })
  }
})
