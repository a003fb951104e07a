/**
 * Deadlines in real time, because a socket waits in real time. PROTOCOL.md §6.1.
 * No other file on a role's path uses the timers of the runtime. Each call has one timer and removes its listeners,
 * because `AbortSignal.any` over a long-lived signal leaks memory (nodejs/node#54614). The package any-signal does not
 * leak, but a call would cost 19 µs of CPU instead of 12 µs (Node 20, two busy cores, 2026-11).
 */
import { FederationError } from '@geotrace/core-wasm/wire'

/**
 * Runs `task` with a signal that fires after `ms`, or when `outer` fires. Rejects at that moment with `expired()` or
 * ABORTED, even if the task ignores the signal.
 */
export async function withDeadline<T>(
  ms: number,
  expired: () => Error,
  task: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  const abort = (): void => controller.abort(new FederationError('ABORTED', 'the request was cancelled'))
  if (outer?.aborted) abort()
  const timer = setTimeout(() => controller.abort(expired()), ms)
  outer?.addEventListener('abort', abort, { once: true })
  const { signal } = controller
  let fail: () => void = () => {}
  try {
    const ended = new Promise<never>((_, reject) => {
      fail = () => reject(signal.reason)
      if (signal.aborted) fail()
      else signal.addEventListener('abort', fail, { once: true })
    })
    return await Promise.race([ended, task(signal)])
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', abort)
    signal.removeEventListener('abort', fail)
  }
}

/**
 * Waits at most `ms` for a task that cannot be stopped, then rejects with `expired()`. Without a signal the call costs a
 * third of `withDeadline`.
 */
export async function inTime<T>(ms: number, expired: () => Error, task: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(expired()), ms)
    task.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}
