/**
 * The memory cap of a node: sheds near it, stops beyond it. node/README.md "Options and defaults". A node that a kernel kills leaves
 * its peers waiting for answers; one that stops by itself finishes them, and its supervisor starts it anew.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { Log } from '../../platform/log.ts'

const CHECK_MS = 2_000
/** A garbage collection may be due: only what stays beyond the cap ends the node. */
const STRIKES = 3

export interface MemoryGuardInit {
  maxBytes: number
  /** From this on salt requests are shed. */
  shedBytes: number
  /** Resident bytes now. */
  rss(): number
  clock: Clock
  log: Log
  /** Ends the process, by its own means. */
  stop(): void
}
export interface MemoryGuard {
  readonly isShedding: boolean
  stop(): void
}

export function memoryGuard({ maxBytes, shedBytes, rss, clock, log, stop }: MemoryGuardInit): MemoryGuard {
  let strikes = 0
  let isShedding = false
  let cancel = clock.setTimer(check, CHECK_MS)

  function check(): void {
    const bytes = rss()
    const wasShedding = isShedding
    isShedding = bytes > shedBytes
    if (isShedding !== wasShedding) {
      log.warn(isShedding ? 'memory.shedding' : 'memory.recovered', { mib: bytes >> 20, maxMib: maxBytes >> 20 })
    }
    strikes = bytes > maxBytes ? strikes + 1 : 0
    if (strikes < STRIKES) {
      cancel = clock.setTimer(check, CHECK_MS)
      return
    }
    log.error('memory.exceeded', { mib: bytes >> 20, maxMib: maxBytes >> 20 })
    stop()
  }

  return {
    get isShedding() {
      return isShedding
    },
    stop: () => cancel(),
  }
}
