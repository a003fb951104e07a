import type { Tracer } from '@geotrace/client'
import { useEffect, useState } from 'react'

/**
 * The one tracer of a React app, as long as its component is mounted; undefined until the tracer is open. `open` makes the
 * tracer and passes `wait` to `levelStorage`: StrictMode mounts twice, and the second mount waits until the first has closed.
 */
export function useTracer(open: (wait: AbortSignal) => Promise<Tracer>): Tracer | undefined {
  const [tracer, setTracer] = useState<Tracer | undefined>(undefined)
  const [failed, setFailed] = useState<unknown>(undefined)
  useEffect(() => {
    const left = new AbortController()
    const opening = open(left.signal)
    opening.then(
      (opened) => !left.signal.aborted && setTracer(opened),
      (error: unknown) => !left.signal.aborted && setFailed(error),
    )
    return () => {
      left.abort()
      setTracer(undefined)
      // A tracer that opens after the component has gone is closed too, so that it frees the storage.
      opening.then((opened) => opened.close()).catch(() => undefined)
    }
  }, [])
  // The nearest error boundary shows it.
  if (failed !== undefined) throw failed
  return tracer
}
