/**
 * Whether the event loop stays behind. PROTOCOL.md §6.5. The queue of a Node process is what waits in its sockets while it
 * is busy; how long the loop has been busy is how long they have waited. As in CoDel (RFC 8289) a short burst passes.
 * It says when to bound the work under way, and not what to turn away: on a machine that others keep busy the loop is
 * late whatever comes, and turning work away for that alone answers nobody (measured 2026-11).
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'

export interface Pressure {
  isLagging(): boolean
  stop(): void
}

export interface PressureInit {
  /** Monotonic, ms. */
  now(): number
  /** Calls `task` every so many ms, late when the loop is; returns what stops it. */
  every(ms: number, task: () => void): () => void
}

const TICK_MS = 20
/** An answer within 50 ms leaves room for the work of turning others away. */
export const DELAY_TARGET_MS = 25
/** A burst is no overload. */
export const DELAY_INTERVAL_MS = 100
export function pressure({ now, every }: PressureInit): Pressure {
  let tickMs = now()
  /** Since when every tick has been later than the target. */
  let sinceMs: number | undefined
  const stop = every(TICK_MS, () => {
    const atMs = now()
    const delayMs = Math.max(0, atMs - tickMs - TICK_MS)
    tickMs = atMs
    if (delayMs <= DELAY_TARGET_MS) sinceMs = undefined
    else sinceMs ??= atMs - delayMs
  })
  return {
    isLagging: () => sinceMs !== undefined && now() - sinceMs > DELAY_INTERVAL_MS,
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

/** Above it the loop has no rest, whatever it does; it need not be late, since much work in small pieces passes for none. */
const SATURATED_SHARE = 0.9
const SATURATION_WINDOW_MS = 500

/** Whether the event loop of this process was busy all the time in the last window that was looked at. */
export function saturation(
  read: (since?: EventLoopUtilization) => EventLoopUtilization = (since) => performance.eventLoopUtilization(since),
): () => boolean {
  let mark = read()
  let share = 0
  return () => {
    const { idle, active, utilization } = read(mark)
    if (idle + active >= SATURATION_WINDOW_MS) {
      share = utilization
      mark = read()
    }
    return share > SATURATED_SHARE
  }
}
