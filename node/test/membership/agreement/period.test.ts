import { effortSpan, nextFirstEpoch } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { isPeriodOpen, mayBeCertified } from '../../../src/membership/agreement/period.ts'
import { founded } from '../chain.ts'

const { roster } = founded().first
const { firstEpoch, periodEpochs } = roster
const next = (Math.floor(firstEpoch / periodEpochs) + 1) * periodEpochs
const open = (nowMs: number): number[] =>
  Array.from({ length: 30 }, (_, i) => next + (i - 3) * periodEpochs).filter((epoch) =>
    isPeriodOpen(roster, epoch, nowMs),
  )

describe('the open periods', () => {
  it('the due period and the one after it are open, and a period before the newest roster never is', () => {
    const nowMs = effortSpan(periodEpochs, next).from
    expect(nextFirstEpoch(roster, nowMs)).toBe(next)
    expect(open(nowMs)).toEqual([next, next + periodEpochs])
  })

  it('two periods before the due one stay open for a late certificate, however many failed', () => {
    for (const failed of [1, 2, 3, 12]) {
      const due = next + failed * periodEpochs
      const before = Array.from({ length: Math.min(failed, 2) }, (_, i) => due - (i + 1) * periodEpochs).reverse()
      expect(open(effortSpan(periodEpochs, due).from)).toEqual([...before, due, due + periodEpochs])
    }
  })

  it('an epoch inside a period begins no open period', () => {
    const nowMs = effortSpan(periodEpochs, next).from
    expect(isPeriodOpen(roster, next, nowMs)).toBe(true)
    for (const epoch of [next - 1, next + 1]) {
      expect(isPeriodOpen(roster, epoch, nowMs)).toBe(false)
      expect(mayBeCertified(roster, epoch, nowMs)).toBe(false)
    }
  })

  it('a period that a later roster overtook may still be certified as long as a late period is open', () => {
    const newest = { ...roster, firstEpoch: next + 3 * periodEpochs }
    const nowMs = effortSpan(periodEpochs, next + 4 * periodEpochs).from
    const late = Array.from({ length: 8 }, (_, i) => next + i * periodEpochs)
    expect(
      late.filter((epoch) => mayBeCertified(newest, epoch, nowMs)).map((epoch) => (epoch - next) / periodEpochs),
    ).toEqual([2, 3, 4, 5])
    expect(
      late.filter((epoch) => isPeriodOpen(newest, epoch, nowMs)).map((epoch) => (epoch - next) / periodEpochs),
    ).toEqual([4, 5])
  })
})
