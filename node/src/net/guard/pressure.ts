/**
 * Measures the lag and the utilisation of the event loop. PROTOCOL.md §6.5. Requests queue in the sockets of a busy
 * process, so the lag of its loop is their waiting time. As in CoDel (RFC 8289) a short burst is no overload.
 * Use this signal to limit concurrency, never alone to reject requests. On a shared machine the event loop lags even
 * when the node is idle (measured 2026-11).
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks'

export interface Pressure {
  isLagging(): boolean
  stop(): void
}

interface PressureInit {
  /** Monotonic, ms. */
  now(): number
  /** Calls `task` every `ms`, late when the loop lags. Returns a function that stops it. */
  every(ms: number, task: () => void): () => void
}

const TICK_MS = 20
/** Lag of a tick that counts. Answers within 50 ms leave time to refuse other requests. */
export const DELAY_TARGET_MS = 25
/** Every tick must lag for this time, because a burst is no overload. */
export const DELAY_INTERVAL_MS = 100
export function pressure({ now, every }: PressureInit): Pressure {
  let tickMs = now()
  /** Time since which every tick exceeded the target. */
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

/** Measures this process and does not keep it alive. */
export function loopPressure(): Pressure {
  return pressure({
    now: () => performance.now(),
    every(ms, task) {
      const timer = setInterval(task, ms).unref()
      return () => clearInterval(timer)
    },
  })
}

const UTILISATION_WINDOW_MS = 500

/** Returns a function that gives the share of the last complete window in which the event loop of this process worked. */
export function utilisation(
  read: (since?: EventLoopUtilization) => EventLoopUtilization = (since) => performance.eventLoopUtilization(since),
): () => number {
  let mark = read()
  let share = 0
  return () => {
    const { idle, active, utilization } = read(mark)
    if (idle + active >= UTILISATION_WINDOW_MS) {
      share = utilization
      mark = read()
    }
    return share
  }
}
