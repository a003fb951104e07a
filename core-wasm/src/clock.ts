/**
 * The clock, which every caller injects: the machine's clock at the edges, a simulated clock for tests and for replays of
 * recorded tracks. This is the only file of the core that reads the machine's time. Throws RangeError.
 */
export interface Clock {
  /** Unix milliseconds. */
  now(): number
  /** Calls `fn` once, `delayMs` from now. The returned function cancels the timer. */
  setTimer(fn: () => void, delayMs: number): () => void
}

export interface SimulatedClock extends Clock {
  /**
   * Moves time to `ms` and runs every timer that falls due on the way, in the order of their times. Timers of equal time
   * run in the order in which they were set. Work that a timer starts settles before the next timer runs. Throws
   * RangeError when `ms` is in the past.
   */
  advanceTo(ms: number): Promise<void>
  /**
   * Moves time to `ms` at once, as after a machine's sleep. Timers that fell due run now, late, each once. A timer that
   * they set anew waits from `ms` on. Throws RangeError when `ms` is in the past.
   */
  jumpTo(ms: number): Promise<void>
}

interface Timer {
  readonly at: number
  readonly fn: () => void
}

/** Longest delay of a host timer (2^31 − 1 ms). A longer delay would fire at once. */
const DELAY_MAX_MS = 0x7fffffff

export function systemClock(): Clock {
  return {
    now: () => Date.now(),
    setTimer(fn, delayMs) {
      if (!(delayMs <= DELAY_MAX_MS)) throw new RangeError(`"delayMs" expected at most ${DELAY_MAX_MS}, got ${delayMs}`)
      const timer = setTimeout(fn, delayMs)
      return () => clearTimeout(timer)
    },
  }
}

/** A wait of at most this length keeps its real length, because the network does not run faster in a demonstration. */
const SHORT_WAIT_MS = 200

/**
 * A clock for demonstrations. It equals the machine's clock at `fromMs` and runs `speed` times as fast, so all processes
 * with these two numbers have the same time. Waits are shorter by the same factor, but not below 200 ms.
 */
export function fastClock(fromMs: number, speed: number): Clock {
  const { now, setTimer } = systemClock()
  return {
    now: () => Math.floor(fromMs + (now() - fromMs) * speed),
    setTimer: (fn, delayMs) => setTimer(fn, Math.max(delayMs / speed, Math.min(delayMs, SHORT_WAIT_MS))),
  }
}

export function simulatedClock(startMs: number): SimulatedClock {
  let now = startMs
  const timers = new Set<Timer>()

  function earliest(limit: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.at <= limit && (first === undefined || timer.at < first.at)) first = timer
    }
    return first
  }

  return {
    now: () => now,
    setTimer(fn, delayMs) {
      if (Number.isNaN(delayMs)) throw new RangeError('"delayMs" expected a number, got NaN')
      const timer = { at: now + Math.max(0, delayMs), fn }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    async advanceTo(ms) {
      if (!(ms >= now)) throw new RangeError(`"ms" expected at least ${now}, got ${ms}`)
      await settle()
      for (let timer = earliest(ms); timer; timer = earliest(ms)) {
        timers.delete(timer)
        now = Math.max(now, timer.at)
        timer.fn()
        await settle()
      }
      now = ms
    },
    async jumpTo(ms) {
      if (!(ms >= now)) throw new RangeError(`"ms" expected at least ${now}, got ${ms}`)
      now = ms
      const due = [...timers].filter((timer) => timer.at <= ms).sort((a, b) => a.at - b.at)
      for (const timer of due) {
        if (timers.delete(timer)) timer.fn()
        await settle()
      }
    },
  }
}

/** One turn of the host's event loop, which handles resolved promises and available input. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
}
