import { describe, expect, it } from 'vitest'
import { proposerTurn } from '../../../src/membership/agreement/proposer-order.ts'
import { NAMES, operatorSigner } from '../chain.ts'

const operators = NAMES.map((name) => ({ name, key: operatorSigner(name).key }))

describe('the order of proposers', () => {
  it('every operator has a turn of its own in every period', () => {
    for (let firstEpoch = 0; firstEpoch < 30; firstEpoch++) {
      const turns = operators.map((_, i) => proposerTurn({ hash: new Uint8Array(32), operators }, firstEpoch, i))
      expect([...turns].sort()).toEqual([0, 1, 2, 3, 4, 5])
    }
  })

  it('thirty periods that fail after one roster begin with each operator at times, and with none more than ten times', () => {
    const firsts = operators.map(
      (_, i) =>
        Array.from({ length: 30 }, (_, period) =>
          proposerTurn({ hash: new Uint8Array(32), operators }, period * 18, i),
        ).filter((turn) => turn === 0).length,
    )
    expect(firsts.reduce((sum, count) => sum + count)).toBe(30)
    expect(Math.min(...firsts)).toBeGreaterThan(0)
    expect(Math.max(...firsts)).toBeLessThanOrEqual(10)
  })
})
