import { effortSpan, nextFirstEpoch } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { isPeriodOpen } from '../../../src/membership/agreement/period.ts'
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
    for (const epoch of [next - 1, next + 1]) expect(isPeriodOpen(roster, epoch, nowMs)).toBe(false)
  })
})
