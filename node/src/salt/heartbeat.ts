/**
 * What a salt node does without being asked, on its clock: wind the ratchet the moment an epoch closes, look for
 * seeds it misses, compare clocks, sweep the quota. PROTOCOL.md §5.1, §5.5.
 */
import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { ROUND_MS } from '../membership/agreement/council.ts'
import { type ClockWatch, SKEW_MAX_MS } from '../membership/clock-watch.ts'

const BEAT_MS = MINUTE_MS
/** No clock drifts half a minute in an hour; a jump is noticed at the next beat. */
const CHECK_MS = 60 * MINUTE_MS
/** A clock found wrong may be right again soon. */
const RECHECK_MS = MINUTE_MS
const SWEEP_MS = 10 * MINUTE_MS
/** What no replica had for a minute may be lost for good. */
const SEEKS_EAGER = 30
const SEEK_SELDOM_MS = 30_000

export interface HeartbeatInit {
  clock: Clock
  watch: ClockWatch
  /** Forgets what is due. */
  advance(nowMs: number): void
  /** When `advance` is due next, if it is known. */
  nextMs(): number | undefined
  sweep(nowMs: number): Promise<void>
  /** Looks for missing seeds after the certificate; false when none is missing. */
  seek(): Promise<boolean>
  failed(what: string): void
}
export interface Heartbeat {
  start(): void
  /** A roster is certified: compare clocks, look for missing seeds now, every two seconds for a minute, and more seldom then. */
  joined(): void
  /** A peer is there again, which may have what is missing: looks for it now. */
  met(): void
  /** Resolves when no search for seeds is under way any more. */
  stop(): Promise<void>
}

export function heartbeat({ clock, watch, advance, nextMs, sweep, seek, failed }: HeartbeatInit): Heartbeat {
  let stopped = false
  let cancelBeat = (): void => {}
  let cancelSeek = (): void => {}
  let searching: Promise<void> | undefined
  let again = false
  let isLacking = false
  let inVain = 0
  let beatMs = 0
  let checkedMs = 0
  let sweptMs = 0

  /** A jump of the clock is compared with the peers before it may cost secrets; if none answers, forgetting wins. */
  const wind = async (nowMs: number, wasDueMs: number): Promise<void> => {
    // Back as well as forward: a time noted before the step may lie ahead of now.
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
    // At once when time runs evenly: nothing may depend on the network then.
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
    // What is overdue waits for the next beat: a clock known to be wrong must not spin.
    beatMs = dueMs > nowMs ? Math.min(dueMs, nowMs + BEAT_MS) : nowMs + BEAT_MS
    cancelBeat = clock.setTimer(beat, beatMs - nowMs)
  }
  const search = (): void => {
    if (stopped) return
    // A roster that comes meanwhile has seeds of its own to look for.
    again = searching !== undefined
    searching ??= seek()
      .catch(() => {
        failed('seeds')
        return true
      })
      .then((isMissing) => {
        searching = undefined
        isLacking = isMissing
        if (stopped || !(isMissing || again)) return
        cancelSeek()
        const waitMs = ++inVain <= SEEKS_EAGER ? ROUND_MS : SEEK_SELDOM_MS
        cancelSeek = clock.setTimer(search, again ? 0 : waitMs)
        again = false
      })
  }
  const searchAnew = (): void => {
    inVain = 0
    search()
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
      searchAnew()
    },
    met: () => void (isLacking && searchAnew()),
    async stop() {
      stopped = true
      cancelBeat()
      cancelSeek()
      await searching
    },
  }
}
