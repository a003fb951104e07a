/** The streets of the person's map file, for a view that paints them. */
import { useEffect, useState } from 'preact/hooks'
import { areStreetsAdded } from './added.ts'
import type { Streets } from './street-map.ts'

/** `tiles` changes whenever another tile can be painted. */
export function useStreets(): { streets: Streets | undefined; tiles: number } {
  const [streets, setStreets] = useState<Streets | undefined>(undefined)
  const [tiles, setTiles] = useState(0)
  useEffect(() => {
    if (!areStreetsAdded()) return
    let [isGone, stop]: [boolean, (() => void) | undefined] = [false, undefined]
    import('./street-map.ts')
      .then(({ openStreets }) => openStreets())
      .then((found) => {
        if (isGone) return
        setStreets(found)
        stop = found?.onTile(() => setTiles((count) => count + 1))
      })
      // The settings say what is wrong with the file.
      .catch(() => undefined)
    return () => {
      isGone = true
      stop?.()
    }
  }, [])
  return { streets, tiles }
}
