/** Logs each new hint once, so that the log of a node shows the same hints as its status. */
import type { Hint } from '../../admin/node-status.ts'
import type { Log } from '../../platform/log.ts'

/** The daemon ticks ten times a second, so a hint is logged within five seconds. */
export const TICKS_PER_LOOK = 50

/** A function for every tick of the daemon. It reads the hints on the first tick and then on every fiftieth. */
export function hintLog(hints: () => readonly Hint[], log: Log): () => void {
  let ticks = 0
  let known = new Set<string>()
  return () => {
    if (ticks++ % TICKS_PER_LOOK !== 0) return
    const current = hints()
    // The next step identifies a hint, because its text may hold a number that changes.
    for (const { what, next } of current) if (!known.has(next)) log.warn('salt.hint', { what, next })
    known = new Set(current.map(({ next }) => next))
  }
}
