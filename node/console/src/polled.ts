/** A value of the server that is read again from time to time, and at once after a change. */
import { useCallback, useEffect, useState } from 'preact/hooks'
import { get, Refused } from './control.ts'

const POLL_MS = 15_000

export interface Polled<T> {
  readonly value: T | undefined
  readonly fault: Refused | undefined
  readAgain(): void
}

/** Does nothing for a path that is undefined: the role may not read it. */
export function usePolled<T>(path: string | undefined): Polled<T> {
  const [value, setValue] = useState<T | undefined>(undefined)
  const [fault, setFault] = useState<Refused | undefined>(undefined)
  const read = useCallback(() => {
    if (path === undefined) return
    get<T>(path).then(
      (next) => {
        setValue(next)
        setFault(undefined)
      },
      (error: unknown) => setFault(error instanceof Refused ? error : new Refused('FAULT', String(error))),
    )
  }, [path])
  useEffect(() => {
    read()
    const timer = setInterval(read, POLL_MS)
    return () => clearInterval(timer)
  }, [read])
  return { value, fault, readAgain: read }
}
