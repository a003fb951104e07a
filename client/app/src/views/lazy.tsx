/** A view that loads when it is first shown. Give views that follow each other in one place different keys. */
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { texts } from '../text/text.ts'

interface LazyInit<P> {
  load: () => Promise<{ default: ComponentType<P> }>
  props?: P
}

export function LazyView<P extends object>({ load, props }: LazyInit<P>) {
  const [loaded, setLoaded] = useState<{ View?: ComponentType<P>; failed?: boolean }>({})
  useEffect(() => {
    load().then(
      ({ default: View }) => setLoaded({ View }),
      () => setLoaded({ failed: true }),
    )
  }, [])
  const { loading, notLoaded } = texts().shell
  if (loaded.failed) return <p class="loading">{notLoaded}</p>
  if (loaded.View === undefined) return <p class="loading">{loading}</p>
  return <loaded.View {...((props ?? {}) as P)} />
}
