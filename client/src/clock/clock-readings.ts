/**
 * Proofs of time from the readings of three clocks: the device's, the central peer's, and the salt nodes' (the median of
 * their signed answers). DESIGN.md §10a "Clocks". All times are Unix ms of one moment. Pure.
 */
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { TimeProof } from './proved-time.ts'

/** After so long without a proof a sync asks for the time before it deposits anything. Clients aim to sync hourly. */
const PROOF_FRESH_MS = 120 * MINUTE_MS

interface ClockReadings {
  readonly deviceMs: number
  /** One of each answer. */
  readonly nodesMs: readonly number[]
  readonly centralMs: number | undefined
}

/** Undefined when no peer gave its time: the device's clock alone proves nothing. */
export function readingsToProof({ deviceMs, nodesMs, centralMs }: ClockReadings): TimeProof | undefined {
  const peers = [median(nodesMs), centralMs].filter((time) => time !== undefined)
  if (peers.length === 0) return undefined
  const sorted = [deviceMs, ...peers].sort((a, b) => a - b)
  const federationMs = peers.length === 1 ? peers[0]! : sorted[1]!
  return { deviceMs, federationMs, atLeastMs: sorted.at(-2)!, atMostMs: sorted[1]! }
}

/** True when the clock may have jumped since the proof, so that it must not decide what leaves the device. */
export function isProofStale(proof: TimeProof | undefined, clockMs: number): boolean {
  return proof === undefined || Math.abs(clockMs - proof.deviceMs) > PROOF_FRESH_MS
}

/** Unix minutes by the newest proof; 0 when it is stale, because then the device cannot know them. */
export function toProvedMinute(clock: { readonly proof: TimeProof | undefined; read(): number }): number {
  const { proof } = clock
  const clockMs = clock.read()
  if (proof === undefined || isProofStale(proof, clockMs)) return 0
  return Math.floor((proof.federationMs + clockMs - proof.deviceMs) / MINUTE_MS)
}

function median(times: readonly number[]): number | undefined {
  return [...times].sort((a, b) => a - b)[(times.length - 1) >> 1]
}
