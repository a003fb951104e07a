/** The current time as a signal, for views that show how long ago something happened. */
import { useEffect, useState } from 'preact/hooks'

const TICK_MS = 15_000

export function useNow(): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return now
}
