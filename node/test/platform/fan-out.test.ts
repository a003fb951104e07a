import { describe, expect, it } from 'vitest'
import { FAN_OUT, fanOut } from '../../src/platform/fan-out.ts'

describe('fanOut', () => {
  it('fanOut asks each item once, at most 16 at a time, and stops when it has enough', async () => {
    let [running, most, asked] = [0, 0, 0]
    const items = Array.from({ length: 50 }, (_, i) => i)
    const ask = async (): Promise<void> => {
      asked++
      most = Math.max(most, ++running)
      await Promise.resolve()
      running--
      throw new Error('no answer')
    }
    await fanOut(items, ask)
    expect([asked, most]).toEqual([50, 16])
    expect(FAN_OUT).toBe(16)
    asked = 0
    await fanOut(items, ask, () => asked >= 20)
    expect(asked).toBeGreaterThanOrEqual(20)
    expect(asked).toBeLessThan(50)
    await fanOut([], ask)
  })
})
