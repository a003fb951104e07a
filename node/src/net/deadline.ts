/**
 * Real-time deadlines: the only place of a role's path that knows the host's timers, since a socket waits in real
 * time. PROTOCOL.md §6.1. One timer a call: composing signals with a long-lived one was measured to leak.
 */
import { FederationError } from '@geotrace/core-wasm/wire'

/**
 * Runs `task` with a signal that fires after `ms`, or when `outer` does. Rejects at that moment even if the task
 * does not listen: with `expired()`, or ABORTED.
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

/** Waits for `task` no longer than that, and does not tell it: a third of the price, for what cannot be stopped anyway. */
export async function inTime<T>(ms: number, expired: () => Error, task: Promise<T>): Promise<T> {
  return await new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(expired()), ms)
    task.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}
