/** A view that loads when it is first shown, because its drawing libraries are large. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'

interface LazyInit<P> {
  load: () => Promise<{ default: ComponentType<P> }>
  what: string
  props?: P
}

export function LazyView<P extends object>({ load, what, props }: LazyInit<P>) {
  const [loaded, setLoaded] = useState<{ View?: ComponentType<P>; failed?: boolean }>({})
  useEffect(() => {
    load().then(
      ({ default: View }) => setLoaded({ View }),
      () => setLoaded({ failed: true }),
    )
  }, [what])
  if (loaded.failed) return <p class="loading">{what} could not be loaded. Is there a network?</p>
  if (loaded.View === undefined) return <p class="loading">{what} is loading …</p>
  return <loaded.View {...((props ?? {}) as P)} />
}
