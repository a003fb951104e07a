/**
 * A proof of time, and how the device's clock is corrected by one. DESIGN.md §10a "Clocks": no lasting decision by one clock
 * alone. clock-readings.ts makes proofs. All times are Unix ms. Pure.
 */
import { MINUTE_MS } from '@geotrace/core-wasm/wire'

/** A clock that differs by more is off: it is reported and corrected for. Receivers and slow networks differ by less. */
export const CLOCK_OFF_MS = 5 * MINUTE_MS

export interface TimeProof {
  /** The device's clock at the moment of the proof. */
  readonly deviceMs: number
  /** The federation's time, as near as the clocks tell. For decisions that can be taken back. */
  readonly federationMs: number
  /** Two clocks say that it is so late. Only this deletes. */
  readonly atLeastMs: number
  /** Two clocks say that it is not later. */
  readonly atMostMs: number
}

/** Federation minus device, ms; 0 while the clock is right enough. */
export function proofToOffset({ federationMs, deviceMs }: TimeProof): number {
  const offsetMs = federationMs - deviceMs
  return Math.abs(offsetMs) > CLOCK_OFF_MS ? offsetMs : 0
}

/**
 * The milliseconds to add to the device's clock. A correction ends when the clock was set right. Two signs show that: the
 * clock went back since the proof, or it advanced by as much as it was off. `highestMs`: the latest reading of the clock since the proof.
 */
export function toCorrection(proof: TimeProof | undefined, clockMs: number, highestMs: number): number {
  if (proof === undefined) return 0
  const offsetMs = proofToOffset(proof)
  const passedMs = clockMs - proof.deviceMs
  const isSetBack = clockMs < Math.max(highestMs, proof.deviceMs) - CLOCK_OFF_MS
  return isSetBack || passedMs >= Math.abs(offsetMs) ? 0 : offsetMs
}
