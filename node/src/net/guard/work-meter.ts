/**
 * Limits the work that one connection may cause, as a token bucket. PROTOCOL.md §6.5. It counts work and not bytes or
 * frames, because a stream of forty bytes can cost as much as a megabyte. Time is an argument.
 */
export interface WorkMeter {
  /** Takes `units` from the bucket. Returns false, and takes nothing, when too few are left. */
  spend(units: number, nowMs: number): boolean
}

export function workMeter(perSecond: number, burst: number): WorkMeter {
  let left = burst
  let atMs = Number.NEGATIVE_INFINITY
  return {
    spend(units, nowMs) {
      left = Math.min(burst, left + (Math.max(0, nowMs - atMs) / 1_000) * perSecond)
      atMs = nowMs
      if (left < units) return false
      left -= units
      return true
    },
  }
}
