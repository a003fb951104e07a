/** The part of the address after the `?` of the route, as the view's parameters: `#/diary?day=2026-11-29`. */
import { useEffect, useState } from 'preact/hooks'

export function readQuery(): URLSearchParams {
  return new URLSearchParams(location.hash.split('?')[1] ?? '')
}

export function useQuery(): URLSearchParams {
  const [query, setQuery] = useState(readQuery)
  useEffect(() => {
    const listen = () => setQuery(readQuery())
    window.addEventListener('hashchange', listen)
    return () => window.removeEventListener('hashchange', listen)
  }, [])
  return query
}
