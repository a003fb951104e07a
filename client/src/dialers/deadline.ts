/**
 * One deadline for one step, together with the caller's signal. Not `AbortSignal.any`: composed with a long-lived
 * signal it is never released (measured by others, lodestar issue 8969).
 */
export interface Deadline {
  readonly signal: AbortSignal
  /** Whether it was time that ran out rather than the caller who gave up. */
  isPast(): boolean
  clear(): void
}

export function deadline(ms: number, outer: AbortSignal | undefined): Deadline {
  const controller = new AbortController()
  const timeout = AbortSignal.timeout(ms)
  const stop = (): void => controller.abort()
  timeout.addEventListener('abort', stop)
  outer?.addEventListener('abort', stop)
  if (outer?.aborted === true) stop()
  return {
    signal: controller.signal,
    isPast: () => timeout.aborted,
    clear() {
      timeout.removeEventListener('abort', stop)
      outer?.removeEventListener('abort', stop)
    },
  }
}
