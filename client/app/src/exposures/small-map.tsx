/** A small map of an exposure: the place, and the person's own way in the hour around it. It does not move. */
import type { DiaryEntry, Exposure } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useDark } from '../dark.ts'
import { type Land, loadLand } from '../map/base.ts'
import { paint, readColours } from '../map/paint.ts'
import { diary, opening } from '../session/state.ts'
import { useStreets } from '../streets/use-streets.ts'
import { later, texts } from '../text/text.ts'

/** The place and the streets around it. */
const ZOOM = 16
const AROUND_MS = HOUR_MS

export default function SmallMap({ exposure }: { exposure: Exposure }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const session = opening.value
  const [width, setWidth] = useState(0)
  const [land, setLand] = useState<Land | undefined>(undefined)
  const { streets, tiles } = useStreets()
  const fixes = diary.value
  const isDark = useDark()
  useEffect(() => {
    loadLand(ZOOM).then(setLand, () => undefined)
    const element = canvas.current!
    const observer = new ResizeObserver(() => setWidth(element.clientWidth))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useEffect(() => {
    const element = canvas.current!
    if (width === 0 || session.state !== 'ready') return
    readColours(element)
    const ratio = Math.min(3, window.devicePixelRatio || 1)
    const size = { width, height: element.clientHeight }
    element.width = Math.round(size.width * ratio)
    element.height = Math.round(size.height * ratio)
    paint(element.getContext('2d')!, {
      camera: { lat: exposure.lat, lng: exposure.lng, zoom: ZOOM },
      size,
      ratio,
      land,
      cities: [],
      streets,
      matching: undefined,
      spread: undefined,
      core: session.core,
      shards: session.manifest.parameters.shards,
      shown: new Set(['streets', 'fixes']),
      fixes: fixes.filter((fix) => isAround(fix, exposure)),
      exposures: [{ ...exposure, verdict: 'new' }],
      zones: [],
      homeCells: [],
      position: undefined,
      selected: undefined,
      words: { hiddenHome: texts().map.hiddenHome, ...texts().lab },
    })
  }, [width, land, streets, tiles, fixes, exposure, isDark])
  return <canvas ref={canvas} class="small-map" role="img" aria-label={later().exposures.map} />
}

function isAround({ at }: DiaryEntry, { from, to }: Exposure): boolean {
  return at >= from - AROUND_MS && at <= to + AROUND_MS
}
