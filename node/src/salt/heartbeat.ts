/**
 * The periodic work of a salt node. PROTOCOL.md §5.1, §5.5, §5.6.
 * It winds the ratchet when an epoch closes, looks for missing seeds, compares clocks and sweeps the quota table.
 * While the clock is in doubt, the ratchet goes by the timers, which run evenly whatever the clock says. A clock that is
 * wrong for an hour must not erase the salts of hours, and must not keep secrets beyond their time.
 */
import type { Clock } from '@geotrace/core-wasm'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { type ClockWatch, SKEW_MAX_MS } from '../membership/clock-watch.ts'
import { seedSearch } from './seeds/seed-search.ts'

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
  let delayMs = 0
  let checkedMs = 0
  const ratchet = new RatchetTime()
  const sweepWhenDue = sweeper(sweep, () => failed('quota'), clock.now())
  /** The clock jumped and was not compared with the peers' clocks since. */
  let hasJumped = false

  const isSkewed = (): boolean => Math.abs(watch.offsetMs) > SKEW_MAX_MS
  const wind = (nowMs: number): void => {
    if (!hasJumped && !isSkewed()) ratchet.trust(nowMs)
    else ratchet.doubt(nowMs - watch.offsetMs)
    advance(ratchet.ms)
  }
  /** If no peer answers, the clock is trusted. */
  const compare = async (nowMs: number): Promise<void> => {
    // The clock may step back as well as forward, so `checkedMs` may lie ahead of now.
    const isDue = Math.abs(nowMs - checkedMs) >= (hasJumped || isSkewed() ? RECHECK_MS : CHECK_MS)
    if (!isDue) return
    checkedMs = nowMs
    await watch.check()
    hasJumped = false
    wind(clock.now())
  }
  const beat = (): void => {
    if (stopped) return
    const nowMs = clock.now()
    if (Math.abs(nowMs - beatMs) > SKEW_MAX_MS) {
      hasJumped = true
      checkedMs = Number.NEGATIVE_INFINITY
    }
    // No timer fires early, so at least its delay has passed.
    ratchet.pass(delayMs)
    // Erasing secrets must not wait for the network.
    wind(nowMs)
    compare(nowMs).catch(() => failed('clock'))
    sweepWhenDue(nowMs)
    plan()
  }
  const plan = (): void => {
    const nowMs = clock.now()
    const leftMs = (nextMs() ?? 0) - ratchet.ms
    delayMs = leftMs > 0 ? Math.min(leftMs, BEAT_MS) : BEAT_MS
    beatMs = nowMs + delayMs
    cancelBeat = clock.setTimer(beat, delayMs)
  }

  return {
    start() {
      checkedMs = clock.now()
      ratchet.start(checkedMs)
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

/** Sweeps at most every `SWEEP_MS`. The clock may step back as well as forward. */
function sweeper(sweep: HeartbeatInit['sweep'], failed: () => void, startMs: number): (nowMs: number) => void {
  let sweptMs = startMs
  return (nowMs) => {
    if (Math.abs(nowMs - sweptMs) < SWEEP_MS) return
    sweptMs = nowMs
    sweep(nowMs).catch(failed)
  }
}

/** The time that the ratchet goes by: the clock, and in doubt the last trusted time plus the delays since. */
class RatchetTime {
  #ms = 0
  #wasTrusted = false

  /** Unix ms. */
  get ms(): number {
    return this.#ms
  }

  start(nowMs: number): void {
    this.#ms = nowMs
  }

  pass(delayMs: number): void {
    this.#ms += delayMs
  }

  trust(nowMs: number): void {
    this.#ms = nowMs
    this.#wasTrusted = true
  }

  /** A clock that was wrong from the start gives way to the peers' earlier time, because erasing too early loses salts. */
  doubt(peersMs: number): void {
    if (!this.#wasTrusted) this.#ms = Math.min(this.#ms, peersMs)
  }
}
