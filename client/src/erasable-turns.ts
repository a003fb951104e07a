/**
 * The turns of a tracer: syncs, reports, erasures, exports and imports run one after the other. An erasure aborts the sync
 * under way and every sync before it in the line, because their results would be erased anyway.
 */
import { oneAtATime } from '@geotrace/core-wasm'

export class ErasableTurns {
  readonly #turn = oneAtATime()
  /** Aborts the task under way. */
  #ending: AbortController | undefined
  #erasuresAsked = 0

  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#turn(task)
  }

  /** Runs an erasure in its turn, and aborts what runs or comes before it. */
  async erase<T>(task: () => Promise<T>): Promise<T> {
    this.#erasuresAsked++
    this.#ending?.abort()
    return this.#turn(() => {
      this.#erasuresAsked--
      return task()
    })
  }

  /** Call within a turn. The task's signal aborts with `outer`, and when an erasure is asked for. */
  async abortable<T>(outer: AbortSignal | undefined, task: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const own = new AbortController()
    const stop = (): void => own.abort()
    outer?.addEventListener('abort', stop)
    if (outer?.aborted === true || this.#erasuresAsked > 0) stop()
    this.#ending = own
    try {
      return await task(own.signal)
    } finally {
      outer?.removeEventListener('abort', stop)
      this.#ending = undefined
    }
  }
}
