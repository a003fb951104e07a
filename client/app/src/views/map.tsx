/** The map: the person's own fixes, and the hexagons and regions of any place. It loads no tile from any server. */
import '../styles/map.css'
import type { HomePreview, Tracer } from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { signal } from '@preact/signals'
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useDark } from '../dark.ts'
import { nextMidnight, toMidnights } from '../day/timeline.ts'
import { Icon } from '../icon.tsx'
import { isFine, type Land, loadLand } from '../map/base.ts'
import { type Camera, fit, pan, toProjection, toScale, zoomAt } from '../map/camera.ts'
import { cellToRing } from '../map/cell-ring.ts'
import { loadCities } from '../map/cities.ts'
import { DaySlider } from '../map/day-slider.tsx'
import { attachGestures } from '../map/gestures.ts'
import { paint, readColours } from '../map/paint.ts'
import { isNamed, type NamedCity } from '../map/places.ts'
import { LAYERS, type Layer, type MatchingPainter, type Scene, type SpreadPainter } from '../map/scene.ts'
import { nearestExposure, nearestFix, type Spot } from '../map/spot.ts'
import { useNow } from '../now.ts'
import { readQuery } from '../query.ts'
import { markChanged } from '../session/refresh.ts'
import { changes, diary, exposures, position } from '../session/state.ts'
import type { Streets } from '../streets/street-map.ts'
import { useStreets } from '../streets/use-streets.ts'
import { format, texts, withLater } from '../text/text.ts'
import { LazyView } from './lazy.tsx'
import { Status } from './status.tsx'

interface Saved {
  text: string
  undo: () => Promise<void>
}
interface Props {
  tracer: Tracer
  manifest: Manifest
  core: Core
}

const loadSpot = () => withLater(import('./spot-panel.tsx'))
const loadSpread = () => withLater(import('../spread/card.tsx'))

const DAYS = 14
const WORLD: Camera = { lat: 28, lng: 10, zoom: 1.6 }
const SPOT_ZOOM = 18
/** A tap on a small map moves nearer by this much. */
const ZOOM_STEP = 5
/** On a map narrower than this, the panel covers the lower half, and the map moves the place into the upper half. */
const PANEL_BESIDE_PX = 600
/** The panel with the map's buttons beside it. */
const PANEL_PX = 440
/** Below this zoom a finger covers more than a house, so a tap moves nearer first. */
const HOME_ZOOM_MIN = 16
/** Layers for everybody. The others show how cells are matched. */
const PLAIN_LAYERS: readonly Layer[] = ['streets', 'fixes', 'hidden']
/** The camera stays while the app is open, also while other views are shown. */
const kept = signal<Camera | undefined>(undefined)

export default function MapView({ tracer, manifest, core }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const [chosen, setChosen] = useState(-1)
  const today = new Date(useNow()).setHours(0, 0, 0, 0)
  const midnights = useMemo(() => toMidnights(today, DAYS), [today])
  const fixes = useMemo(() => ofDay(diary.value, ({ at }) => at, midnights[chosen]), [diary.value, midnights, chosen])
  const events = useMemo(
    () => ofDay(exposures.value, ({ from }) => from, midnights[chosen]),
    [exposures.value, midnights, chosen],
  )
  const here = position.value
  const isDark = useDark()
  const { map: text, layers, lab } = texts()
  const changed = changes.value
  const [land, setLand] = useState<Land | undefined>(undefined)
  const [cities, setCities] = useState<readonly NamedCity[]>([])
  const { streets, tiles } = useStreets()
  const [camera, setCamera] = useState<Camera>(() => startCamera())
  const [shown, setShown] = useState<ReadonlySet<Layer>>(new Set(PLAIN_LAYERS))
  const [matching, setMatching] = useState(false)
  const [painter, setPainter] = useState<MatchingPainter | undefined>(undefined)
  const [asked, setAsked] = useState(false)
  const [spread, setSpread] = useState<SpreadPainter | undefined>(undefined)
  const [spot, setSpot] = useState<Spot | undefined>(() => query().at)
  const [size, setSize] = useState({ width: 1, height: 1 })
  const [pick, setPick] = useState(query().pick)
  const [preview, setPreview] = useState<HomePreview | undefined>(undefined)
  const [saved, setSaved] = useState<Saved | undefined>(undefined)
  const known = useMemo(() => tracer.home.zone(), [changed])
  const homeCells = preview?.zone ?? known
  const zones = useMemo(() => tracer.zones.list(), [changed])
  const now = useRef({ camera, size })
  now.current = { camera, size }
  kept.value = camera

  useEffect(() => {
    // A new diary's first position: start there and not with the whole world.
    if (here !== undefined && fixes.length <= 1 && camera === WORLD) setCamera({ ...here, zoom: SPOT_ZOOM - 1 })
  }, [here === undefined])

  useEffect(() => {
    if (spot === undefined || size.width < 2 || size.width > PANEL_BESIDE_PX) return
    const [, y = 0] = toProjection(camera, size)([spot.lng, spot.lat]) ?? []
    if (y > size.height * 0.4) setCamera(pan(camera, size, 0, size.height * 0.25 - y))
  }, [spot, size.width, size.height])

  useEffect(() => {
    loadLand(camera.zoom).then(setLand, () => undefined)
    loadCities(camera.zoom).then(setCities, () => undefined)
  }, [isFine(camera.zoom), isNamed(camera.zoom)])

  useEffect(() => {
    const element = canvas.current!
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    const jump = () => {
      const { at, pick: wanted } = query()
      setPick(wanted)
      if (at === undefined) return
      setSpot(at)
      setCamera({ ...at, zoom: SPOT_ZOOM })
    }
    window.addEventListener('hashchange', jump)
    const detach = attachGestures(element, {
      camera: () => now.current.camera,
      size: () => now.current.size,
      onCamera: setCamera,
      onPick(x, y) {
        const [lng, lat] = toProjection(now.current.camera, now.current.size).invert!([x, y])!
        setPreview(undefined)
        setSaved(undefined)
        if (query().pick !== undefined && now.current.camera.zoom < HOME_ZOOM_MIN) {
          setCamera({ lat, lng, zoom: Math.min(SPOT_ZOOM, now.current.camera.zoom + ZOOM_STEP) })
        } else setSpot({ lat, lng })
      },
    })
    return () => {
      observer.disconnect()
      window.removeEventListener('hashchange', jump)
      detach()
    }
  }, [])

  // Before the effect that paints with them.
  useEffect(() => readColours(canvas.current!), [isDark])

  useEffect(() => {
    const element = canvas.current!
    const ratio = Math.min(3, window.devicePixelRatio || 1)
    const frame = requestAnimationFrame(() => {
      const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)]
      if (element.width !== width) element.width = width
      if (element.height !== height) element.height = height
      const scene: Scene = {
        camera,
        size,
        ratio,
        land,
        cities,
        streets,
        matching: matching ? painter : undefined,
        spread,
        core,
        shards: manifest.parameters.shards,
        shown,
        fixes,
        exposures: events,
        zones,
        homeCells,
        position: here,
        selected: spot,
        words: { hiddenHome: text.hiddenHome, ...lab },
      }
      paint(element.getContext('2d')!, scene)
    })
    return () => cancelAnimationFrame(frame)
  }, [
    camera,
    size,
    land,
    cities,
    streets,
    tiles,
    matching,
    painter,
    spread,
    shown,
    fixes,
    events,
    zones,
    homeCells,
    here,
    spot,
    text,
    isDark,
  ])

  const close = useCallback(() => {
    setSpot(undefined)
    setPreview(undefined)
  }, [])
  function choose(next: HomePreview | undefined) {
    // The whole zone is seen before it is saved, in the part of the map that the panel leaves free.
    if (next !== undefined) {
      const isBeside = size.width > PANEL_BESIDE_PX
      const [width, height] = isBeside ? [size.width - PANEL_PX, size.height] : [size.width, size.height / 2]
      const aside = ((document.documentElement.dir === 'rtl' ? 1 : -1) * (size.width - width)) / 2
      const corners = next.zone.map((cell) => cellToRing(cell)[0]!).map(([lng, lat]) => ({ lat, lng }))
      const around = fit(corners, { width, height })
      setCamera(pan(around, size, aside, (height - size.height) / 2))
    }
    setPreview(next)
  }
  function finish(text: string, undo: () => Promise<void>) {
    close()
    setPick(undefined)
    setSaved({ text, undo })
  }

  async function takeBack({ undo }: Saved) {
    await undo()
    await markChanged(tracer)
    setSaved(undefined)
  }

  const zoom = (steps: number) => setCamera(zoomAt(camera, size, steps))
  const scale = toScale(camera)
  return (
    <div class="map-page">
      <Status tracer={tracer} quiet />
      <div class="map">
        <h1 class="hidden">{text.title}</h1>
        <p class="hidden" id="map-help">
          {text.help(fixes.length, events.length)}
        </p>
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes arrow keys, plus and minus itself */}
        <canvas ref={canvas} tabIndex={0} role="application" aria-label={text.canvas} aria-describedby="map-help" />
        <span class="cross" aria-hidden="true" />
        <div class="map-tools">
          <button type="button" onClick={() => zoom(1)} aria-label={text.nearer}>
            <Icon name="plus" />
          </button>
          <button type="button" onClick={() => zoom(-1)} aria-label={text.farther}>
            <Icon name="minus" />
          </button>
          <button
            type="button"
            onClick={() => here !== undefined && setCamera({ lat: here.lat, lng: here.lng, zoom: SPOT_ZOOM })}
            disabled={here === undefined}
            aria-label={text.here}
          >
            <Icon name="locate" />
          </button>
          <button
            type="button"
            onClick={() => setCamera(fixes.length > 0 ? fit(fixes, size) : WORLD)}
            aria-label={text.fit}
          >
            <Icon name="fit" />
          </button>
        </div>
        <fieldset class="layers">
          <legend class="hidden">{text.shows}</legend>
          {layersToShow(matching, streets).map((layer) => (
            <label key={layer} class={`layer layer-${layer}`}>
              <input type="checkbox" checked={shown.has(layer)} onChange={() => setShown(toggled(shown, layer))} />
              {layers[layer]}
            </label>
          ))}
          <label class="layer">
            <input type="checkbox" checked={asked} onChange={() => setAsked(!asked)} />
            {text.spread}
          </label>
          <label class="layer">
            <input
              type="checkbox"
              checked={matching}
              onChange={() => {
                import('../map/matching.ts').then(setPainter, () => undefined)
                setMatching(!matching)
                setShown(new Set(matching ? PLAIN_LAYERS : LAYERS))
              }}
            />
            {text.matching}
          </label>
          {streets === undefined && (
            <a class="layer" href="#/settings?help=streets">
              {text.addStreets}
            </a>
          )}
        </fieldset>
        {asked && (
          <LazyView
            load={loadSpread}
            props={{ tracer, size, onPaint: setSpread, onCamera: setCamera, onClose: () => setAsked(false) }}
          />
        )}
        <DaySlider midnights={midnights} chosen={chosen} onChoose={setChosen} />
        <p class="attribution" translate={false}>
          Natural Earth, city-timezones{streets && `, ${streets.attribution}`}
        </p>
        <div class="scale" aria-hidden="true">
          <svg width={Math.ceil(scale.px) + 2} height="8" aria-hidden="true">
            <path d={`M1 1v5h${Math.round(scale.px)}V1`} />
          </svg>
          {toScaleText(scale.metres)}
        </div>
        {pick !== undefined && spot === undefined && (
          <p class="map-hint" role="status">
            {toHint(pick, camera)}
          </p>
        )}
        {saved !== undefined && (
          <p class="map-hint" role="status">
            {saved.text}{' '}
            <button type="button" class="plain" onClick={() => void takeBack(saved)}>
              {text.undo}
            </button>
          </p>
        )}
        {spot !== undefined && (
          <LazyView
            load={loadSpot}
            props={{
              spot,
              core,
              shards: manifest.parameters.shards,
              tracer,
              fix: nearestFix(spot, camera, size, fixes),
              exposure: nearestExposure(spot, camera, size, events),
              adding: pick === 'stay',
              matching,
              preview,
              onPreview: choose,
              onDone: finish,
              onClose: close,
            }}
          />
        )}
      </div>
    </div>
  )
}

function layersToShow(matching: boolean, streets: Streets | undefined): Layer[] {
  const layers = LAYERS.filter((layer) => matching || PLAIN_LAYERS.includes(layer))
  return layers.filter((layer) => layer !== 'streets' || streets !== undefined)
}

/** All items, or those of the day that begins at `midnight`. */
function ofDay<T>(items: readonly T[], toAt: (item: T) => number, midnight: number | undefined): readonly T[] {
  if (midnight === undefined) return items
  const end = nextMidnight(midnight)
  return items.filter((item) => toAt(item) >= midnight && toAt(item) < end)
}

function toHint(pick: string, { zoom }: Camera): string {
  const { map } = texts()
  if (zoom < HOME_ZOOM_MIN) return pick === 'home' ? map.tapHomeNear : map.tapPlaceNear
  if (pick === 'stay') return map.tapStay
  return pick === 'home' ? map.tapHome : map.tapZone
}

function toScaleText(metres: number): string {
  const n = format()
  return metres >= 1000 ? n.kilometres(metres / 1000) : n.metres(metres)
}

function startCamera(): Camera {
  const { at } = query()
  if (at !== undefined) return { ...at, zoom: SPOT_ZOOM }
  const fixes = diary.value
  if (kept.value !== undefined) return kept.value!
  return fixes.length > 0 ? fit(fixes, { width: 900, height: 600 }) : WORLD
}

/** `#/map?at=LAT,LNG` shows that place; `?pick=home` or `?pick=zone` asks the person for a place. */
function query(): { at: Spot | undefined; pick: string | undefined } {
  const parameters = readQuery()
  const [lat = Number.NaN, lng = Number.NaN] = (parameters.get('at') ?? '').split(',').map(Number)
  const at = Math.abs(lat) <= 90 && Number.isFinite(lng) ? { lat, lng } : undefined
  return { at, pick: parameters.get('pick') ?? undefined }
}

function toggled(shown: ReadonlySet<Layer>, layer: Layer): ReadonlySet<Layer> {
  const next = new Set(shown)
  if (!next.delete(layer)) next.add(layer)
  return next
}
