import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'
import { founding } from '../succession/steps.ts'

describe('the effort', () => {
  const HOUR = 60 * wire.MINUTE_MS
  const at = (periodEpochs: number, firstEpoch: number) => ({ ...founding.roster, periodEpochs, firstEpoch })

  it('the effort ends 84 minutes before the first epoch and takes four hours or one period', () => {
    const start = 18 * 100 * wire.EPOCH_MS
    expect(wire.effortSpan(18, 1800)).toEqual({
      from: start - 84 * wire.MINUTE_MS - 4 * HOUR,
      signAnyFrom: start - 84 * wire.MINUTE_MS - 2 * HOUR,
      makeDoFrom: start - 84 * wire.MINUTE_MS - HOUR,
      to: start - 84 * wire.MINUTE_MS,
    })
    const short = { from: 164, signAnyFrom: 124, makeDoFrom: 104, to: 84 }
    for (const [name, before] of Object.entries(short)) {
      expect(wire.effortSpan(1, 1800)).toHaveProperty(name, start - before * wire.MINUTE_MS)
    }
    expect(wire.effortSpan(3, 1800).from).toBe(start - 84 * wire.MINUTE_MS - 4 * HOUR)
    expect(wire.effortSpan(2, 1800).from).toBe(start - 84 * wire.MINUTE_MS - 160 * wire.MINUTE_MS)
    // Votes end before the secrets of the first epoch can be in use.
    expect(wire.effortSpan(18, 1800).to).toBeLessThan(wire.epochToSecretSpan(1800).from)
  })

  it('the efforts for periods of one epoch follow each other without a gap', () => {
    expect(wire.effortSpan(1, 1801).from).toBe(wire.effortSpan(1, 1800).to)
  })

  it('the next first epoch is that of the first period whose effort has not ended', () => {
    for (const periodEpochs of [1, 18]) {
      const roster = at(periodEpochs, 1800)
      const next = 1800 + periodEpochs
      const { to } = wire.effortSpan(periodEpochs, next)
      expect(wire.nextFirstEpoch(roster, 0)).toBe(next)
      expect(wire.nextFirstEpoch(roster, to - 1)).toBe(next)
      expect(wire.nextFirstEpoch(roster, to)).toBe(next + periodEpochs)
      // After weeks without an agreement.
      const late = (next + 18 * 30) * wire.EPOCH_MS
      const found = wire.nextFirstEpoch(roster, late)
      expect(found % periodEpochs).toBe(0)
      expect(wire.effortSpan(periodEpochs, found).to).toBeGreaterThan(late)
      expect(wire.effortSpan(periodEpochs, found - periodEpochs).to).toBeLessThanOrEqual(late)
    }
  })

  it('the first period after a founding begins at a multiple of its length', () => {
    expect(wire.nextFirstEpoch(at(18, 1801), 0)).toBe(1818)
    expect(wire.nextFirstEpoch(at(18, 1817), 0)).toBe(1818)
    expect(wire.nextFirstEpoch(at(1, 1801), 0)).toBe(1802)
  })
})
