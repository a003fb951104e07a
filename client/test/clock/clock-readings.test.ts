import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isProofStale, readingsToProof, toProvedMinute } from '../../src/clock/clock-readings.ts'
import { CLOCK_OFF_MS, toCorrection } from '../../src/clock/proved-time.ts'

const T = Date.parse('2026-11-21T12:00:00Z')
const DAY = 24 * 60 * 60_000
const any = fc.integer({ min: 0, max: 2 * T })
const error = fc.integer({ min: -60_000, max: 60_000 })

describe('a proof of time', () => {
  it('a device without an answer of any peer has no proof', () => {
    fc.assert(
      fc.property(any, (deviceMs) => {
        expect(readingsToProof({ deviceMs, nodesMs: [], centralMs: undefined })).toBeUndefined()
      }),
    )
  })

  it('one wrong clock of the three, however wrong, moves no bound of a proof past the right clocks', () => {
    fc.assert(
      fc.property(any, error, error, fc.constantFrom('device', 'nodes', 'central'), (wrong, a, b, liar) => {
        const [x, y] = [T + a, T + b]
        const proof = readingsToProof({
          deviceMs: liar === 'device' ? wrong : x,
          nodesMs: [liar === 'nodes' ? wrong : y],
          centralMs: liar === 'central' ? wrong : liar === 'device' ? x : y === x ? x : liar === 'nodes' ? y : x,
        })!
        expect(proof.atLeastMs).toBeLessThanOrEqual(T + 60_000)
        expect(proof.atMostMs).toBeGreaterThanOrEqual(T - 60_000)
        expect(Math.abs(proof.federationMs - T)).toBeLessThanOrEqual(60_000)
      }),
    )
  })

  it('a device and one peer that disagree prove only what both say', () => {
    fc.assert(
      fc.property(any, any, (deviceMs, peerMs) => {
        for (const readings of [
          { deviceMs, nodesMs: [], centralMs: peerMs },
          { deviceMs, nodesMs: [peerMs], centralMs: undefined },
        ]) {
          const proof = readingsToProof(readings)!
          expect(proof.atLeastMs).toBe(Math.min(deviceMs, peerMs))
          expect(proof.atMostMs).toBe(Math.max(deviceMs, peerMs))
          expect(proof.federationMs).toBe(peerMs)
        }
      }),
    )
  })

  it('a minority of lying nodes does not move the nodes’ time past the honest nodes', () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 2 }), fc.array(error, { minLength: 3, maxLength: 5 }), (lies, errors) => {
        const nodesMs = [...lies, ...errors.map((item) => T + item)]
        const { federationMs } = readingsToProof({ deviceMs: 0, nodesMs, centralMs: undefined })!
        expect(Math.abs(federationMs - T)).toBeLessThanOrEqual(60_000)
      }),
    )
  })

  it('a proof is stale after two hours and after the clock went back by as much', () => {
    const proof = readingsToProof({ deviceMs: T, nodesMs: [T], centralMs: T })!
    expect(isProofStale(undefined, T)).toBe(true)
    expect([T, T + 60 * 60_000, T - 60_000].map((at) => isProofStale(proof, at))).toEqual([false, false, false])
    expect([T + DAY, T - DAY].map((at) => isProofStale(proof, at))).toEqual([true, true])
  })
})

describe('the proved minute', () => {
  it('the minute follows the federation’s time since the proof, and is 0 without a fresh one', () => {
    const proof = { deviceMs: 5_000_000, federationMs: 90_000_000, atLeastMs: 0, atMostMs: 0 }
    const minute = (clockMs: number) => toProvedMinute({ proof, read: () => clockMs })
    expect(minute(5_000_000)).toBe(1_500)
    expect(minute(5_000_000 + 59_999)).toBe(1_500)
    expect(minute(5_000_000 + 60_000)).toBe(1_501)
    expect(minute(5_000_000 - 1)).toBe(1_499)
    expect(minute(5_000_000 + 120 * 60_000)).toBe(1_620)
    expect(minute(5_000_000 + 120 * 60_000 + 1)).toBe(0)
    expect(toProvedMinute({ proof: undefined, read: () => 5_000_000 })).toBe(0)
  })
})

describe('the correction of a clock', () => {
  const proofOf = (deviceMs: number) => readingsToProof({ deviceMs, nodesMs: [T], centralMs: T })!

  it('a clock that is off by more than five minutes is corrected until it is set right', () => {
    const ahead = proofOf(T + 20 * DAY)
    expect(toCorrection(ahead, T + 20 * DAY + 60_000, T + 20 * DAY + 60_000)).toBe(-20 * DAY)
    expect(toCorrection(ahead, T + 60_000, T + 20 * DAY)).toBe(0)
    const late = proofOf(T - DAY)
    expect(toCorrection(late, T - DAY + 60_000, T - DAY + 60_000)).toBe(DAY)
    expect(toCorrection(late, T + 60_000, T + 60_000)).toBe(0)
    expect(toCorrection(proofOf(T + CLOCK_OFF_MS), T + CLOCK_OFF_MS, T + CLOCK_OFF_MS)).toBe(0)
    expect(toCorrection(undefined, T, T)).toBe(0)
  })
})
