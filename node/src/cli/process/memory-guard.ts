/**
 * The memory limit of a peer: a salt node refuses requests near the limit, and every peer stops above it. node/README.md
 * "Options and defaults". A node that stops by itself finishes its answers, and its service manager starts the node again. If the
 * kernel kills a node, the node's peers wait for their answers in vain.
 */
import type { Clock } from '@geotrace/core-wasm'
import type { Log } from '../../platform/log.ts'

const CHECK_MS = 2_000
/** The node stops after this many checks in a row above the limit. One check may precede a garbage collection. */
const STRIKES = 3

interface MemoryGuardInit {
  maxBytes: number
  /** Above this many bytes the node refuses salt requests. */
  shedBytes: number
  /** Bytes in memory now. */
  rss(): number
  clock: Clock
  log: Log
  /** Called once when the process shall stop. */
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
