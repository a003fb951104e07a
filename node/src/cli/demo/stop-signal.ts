/** Tells the demo when to stop. */

const PARENT_POLL_MS = 500

/** Aborts at the first SIGINT, SIGTERM or SIGHUP, or when the process that started this one has ended. */
export function stopSignal(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && controller.abort(), PARENT_POLL_MS).unref()
  return controller.signal
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
