/**
 * The periodic work of a salt node. PROTOCOL.md §5.1, §5.5, §5.6.
 * It winds the ratchet when an epoch closes, looks for missing seeds, compares clocks and sweeps the quota table.
 */
import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { type ClockWatch, SKEW_MAX_MS } from '../membership/clock-watch.ts'
import { seedSearch } from './seed-search.ts'

const BEAT_MS = MINUTE_MS
/** Interval between two comparisons of clocks. No clock drifts 30 s in an hour, and a beat notices a jump. */
const CHECK_MS = 60 * MINUTE_MS
/** The same while the clock is wrong, because it may be corrected soon. */
const RECHECK_MS = MINUTE_MS
const SWEEP_MS = 10 * MINUTE_MS

interface HeartbeatInit {
  clock: Clock
  watch: ClockWatch
  /** Erases the secrets that are due at `nowMs`. */
  advance(nowMs: number): void
  /** When `advance` has something to erase next, Unix ms; undefined if unknown. */
  nextMs(): number | undefined
  sweep(nowMs: number): Promise<void>
  /** Looks for missing seeds of certified rosters; false when none is missing any more. */
  seek(): Promise<boolean>
  /** Called when a part of the work throws, with the name of that part. */
  failed(what: string): void
}
export interface Heartbeat {
  start(): void
  /** A roster is certified: compares clocks and looks for missing seeds, every 2 s for a minute, then every 30 s. */
  joined(): void
  /** A peer is back and may have a missing seed: looks for it now. */
  met(): void
  /** Resolves when no search for seeds is running any more. */
  stop(): Promise<void>
}

export function heartbeat({ clock, watch, advance, nextMs, sweep, seek, failed }: HeartbeatInit): Heartbeat {
  const search = seedSearch({ clock, seek, failed: () => failed('seeds') })
  let stopped = false
  let cancelBeat = (): void => {}
  let beatMs = 0
  let checkedMs = 0
  let sweptMs = 0

  /** After a jump the clock is compared with the peers' before secrets are erased. If no peer answers, they are erased. */
  const wind = async (nowMs: number, wasDueMs: number): Promise<void> => {
    // The clock may step back as well as forward, so `wasDueMs` and `checkedMs` may lie ahead of now.
    const hasJumped = Math.abs(nowMs - wasDueMs) > SKEW_MAX_MS
    const isSkewed = Math.abs(watch.offsetMs) > SKEW_MAX_MS
    if (hasJumped || Math.abs(nowMs - checkedMs) >= (isSkewed ? RECHECK_MS : CHECK_MS)) {
      checkedMs = nowMs
      await watch.check()
    }
    if (Math.abs(watch.offsetMs) <= SKEW_MAX_MS) advance(clock.now())
  }
  const beat = (): void => {
    if (stopped) return
    const nowMs = clock.now()
    // When time runs evenly, advance at once, because erasing secrets must not wait for the network.
    if (Math.abs(nowMs - beatMs) <= SKEW_MAX_MS && Math.abs(watch.offsetMs) <= SKEW_MAX_MS) advance(nowMs)
    wind(nowMs, beatMs).catch(() => failed('clock'))
    if (Math.abs(nowMs - sweptMs) >= SWEEP_MS) {
      sweptMs = nowMs
      sweep(nowMs).catch(() => failed('quota'))
    }
    plan()
  }
  const plan = (): void => {
    const nowMs = clock.now()
    const dueMs = nextMs() ?? 0
    // An overdue time waits for the next beat, because a clock known to be wrong would make the timer spin.
    beatMs = dueMs > nowMs ? Math.min(dueMs, nowMs + BEAT_MS) : nowMs + BEAT_MS
    cancelBeat = clock.setTimer(beat, beatMs - nowMs)
  }

  return {
    start() {
      checkedMs = clock.now()
      sweptMs = clock.now()
      watch.check().catch(() => failed('clock'))
      plan()
    },
    joined() {
      watch.check().catch(() => failed('clock'))
      search.begin()
    },
    met: () => void (search.isLacking && search.begin()),
    async stop() {
      stopped = true
      cancelBeat()
      await search.stop()
    },
  }
}
