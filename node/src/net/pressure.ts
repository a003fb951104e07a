/**
 * How far the event loop is behind, and whether to turn work away because of it. PROTOCOL.md §6.5.
 * The queue of a Node process is what waits in its sockets while it is busy; how long the loop has been busy is how long
 * they have waited. As in CoDel (RFC 8289) a short burst passes, and what stands for longer than an interval is shed.
 */
export interface Pressure {
  /** Whether what comes now should be turned away. */
  isShedding(): boolean
  stop(): void
}

export interface PressureInit {
  /** Monotonic, ms. */
  now(): number
  /** Calls `task` every so many ms, late when the loop is; returns what stops it. */
  every(ms: number, task: () => void): () => void
}

const TICK_MS = 20
/** What may wait this long is served: an answer within 50 ms leaves room for the work of turning others away. */
export const DELAY_TARGET_MS = 25
/** A burst is no overload. */
export const DELAY_INTERVAL_MS = 100
/** Beyond this for so long even shedding is too much work for this machine: all is turned away until it has caught up. */
export const DELAY_SEVERE_MS = 200
export const DELAY_SEVERE_FOR_MS = 3_000

export function pressure({ now, every }: PressureInit): Pressure {
  let tickMs = now()
  const above = { target: standing(DELAY_TARGET_MS), severe: standing(DELAY_SEVERE_MS) }
  const stop = every(TICK_MS, () => {
    const atMs = now()
    const delayMs = Math.max(0, atMs - tickMs - TICK_MS)
    tickMs = atMs
    above.target.note(delayMs, atMs)
    above.severe.note(delayMs, atMs)
  })
  return {
    isShedding() {
      const atMs = now()
      if (above.severe.lastedMs(atMs) > DELAY_SEVERE_FOR_MS) return true
      // Each turn of the loop serves what comes in its first milliseconds and turns the rest away.
      return above.target.lastedMs(atMs) > DELAY_INTERVAL_MS && atMs - tickMs - TICK_MS > DELAY_TARGET_MS
    },
    stop,
  }
}

/** For how long every tick has been later than `thresholdMs`. */
function standing(thresholdMs: number) {
  let sinceMs: number | undefined
  return {
    note(delayMs: number, atMs: number): void {
      if (delayMs <= thresholdMs) sinceMs = undefined
      else sinceMs ??= atMs - delayMs
    },
    lastedMs: (atMs: number): number => (sinceMs === undefined ? 0 : atMs - sinceMs),
  }
}

/** Of this process; does not keep it alive. */
export function loopPressure(): Pressure {
  return pressure({
    now: () => performance.now(),
    every(ms, task) {
      const timer = setInterval(task, ms).unref()
      return () => clearInterval(timer)
    },
  })
}
