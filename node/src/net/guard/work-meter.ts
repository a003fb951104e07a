/**
 * What one connection may cost us, as a token bucket over work instead of bytes or frames: a stream of forty bytes can
 * cost as much as a megabyte. PROTOCOL.md §6.5. Pure but for its own counter; time is an argument.
 */
export interface WorkMeter {
  /** False when there is no work left for it; what was asked for is then not taken. */
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
