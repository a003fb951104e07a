/**
 * Limits the work that one connection may cause, as a token bucket. PROTOCOL.md §6.5. It counts work and not bytes or
 * frames, because a stream of forty bytes can cost as much as a megabyte. Time is an argument.
 */
import { STREAMS_PER_CONNECTION, WORK_PER_REPLY } from './limits.ts'

export interface WorkMeter {
  /** Takes `units` from the bucket. Returns false, and takes nothing, when too few are left. */
  spend(units: number, nowMs: number): boolean
  /** Adds the work of one reply, because this side asked for it. Unused additions stay, for at most eight replies. */
  expectReply(): void
}

export function workMeter(perSecond: number, burst: number): WorkMeter {
  let left = burst
  let expected = 0
  let atMs = Number.NEGATIVE_INFINITY
  return {
    spend(units, nowMs) {
      left = Math.min(burst, left + (Math.max(0, nowMs - atMs) / 1_000) * perSecond)
      atMs = nowMs
      if (left + expected < units) return false
      const fromReplies = Math.min(expected, units)
      expected -= fromReplies
      left -= units - fromReplies
      return true
    },
    expectReply() {
      expected = Math.min(expected + WORK_PER_REPLY, STREAMS_PER_CONNECTION * WORK_PER_REPLY)
    },
  }
}
