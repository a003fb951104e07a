/**
 * How far the event loop is behind, and whether to turn work away because of it. PROTOCOL.md §6.5.
 * The queue of a Node process is what waits in its sockets while it is busy; how long the loop has been busy is how long
 * they have waited. As in CoDel (RFC 8289) a short burst passes, and what stands for longer than an interval is shed.
 */
export interface Pressure {
  /** Whether what comes now should be turned away. Asked once for each request: what is let through is counted. */
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
/**
 * Requests that each turn of the loop serves at least, some 100 ms of work: on a machine that others keep busy the clock
 * runs on while this process does not, and the delay alone would turn everybody away (measured: 7 of 8 answers lost).
 */
export const SERVED_PER_TURN_MIN = 64
/** A burst is no overload. */
export const DELAY_INTERVAL_MS = 100
export function pressure({ now, every }: PressureInit): Pressure {
  let tickMs = now()
  /** Since when every tick has been later than the target. */
  let sinceMs: number | undefined
  let served = 0
  const stop = every(TICK_MS, () => {
    const atMs = now()
    const delayMs = Math.max(0, atMs - tickMs - TICK_MS)
    tickMs = atMs
    served = 0
    if (delayMs <= DELAY_TARGET_MS) sinceMs = undefined
    else sinceMs ??= atMs - delayMs
  })
  return {
    isShedding() {
      const atMs = now()
      const isBehind = sinceMs !== undefined && atMs - sinceMs > DELAY_INTERVAL_MS
      // Each turn of the loop serves what comes first in it and turns the rest away. Turning all away when the loop stays
      // far behind was tried: on a machine that others keep busy it answers nobody.
      if (isBehind && atMs - tickMs - TICK_MS > DELAY_TARGET_MS && served >= SERVED_PER_TURN_MIN) return true
      served++
      return false
    },
    stop,
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
