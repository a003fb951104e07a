/** The map: the person's own fixes, and the hexagons and regions of any place. It loads no tile from any server. */
import '../styles/map.css'
import type { Tracer } from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { signal } from '@preact/signals'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { Icon } from '../icon.tsx'
import { type Land, loadLand } from '../map/base.ts'
import { type Camera, fit, pan, toProjection, toScale, zoomAt } from '../map/camera.ts'
import { attachGestures } from '../map/gestures.ts'
import { positionToHexagons } from '../map/hexagons.ts'
import { LAYERS, type Layer, paint, readColours, type Scene } from '../map/paint.ts'
import { markChanged } from '../session/refresh.ts'
import { changes, diary, exposures, position } from '../session/state.ts'
import { count, place, time } from '../words.ts'
import { STATES } from './diary.tsx'
import { Status } from './status.tsx'

interface Props {
  tracer: Tracer
  manifest: Manifest
  core: Core
}
interface Spot {
  lat: number
  lng: number
}

const WORLD: Camera = { lat: 28, lng: 10, zoom: 1.6 }
const SPOT_ZOOM = 18
const PICK_PX = 14
/** On a map narrower than this, the panel covers the lower half, and the map moves the place into the upper half. */
const PANEL_BESIDE_PX = 600
const ZONE_RADIUS_M = 200
const LAYER_WORDS: Record<Layer, string> = {
  fixes: 'My positions',
  A: 'Layer A',
  B: 'Layer B',
  C: 'Layer C',
  regions: 'Regions',
  hidden: 'Hidden',
}
/** Layers for everybody. The others show how cells are matched. */
const PLAIN_LAYERS: readonly Layer[] = ['fixes', 'hidden']
/** The camera stays while the app is open, also while other views are shown. */
const kept = signal<Camera | undefined>(undefined)

export default function MapView({ tracer, manifest, core }: Props) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const fixes = diary.value
  const events = exposures.value
  const here = position.value
  const changed = changes.value
  const [land, setLand] = useState<Land | undefined>(undefined)
  const [camera, setCamera] = useState<Camera>(() => startCamera())
  const [shown, setShown] = useState<ReadonlySet<Layer>>(new Set(PLAIN_LAYERS))
  const [matching, setMatching] = useState(false)
  const [spot, setSpot] = useState<Spot | undefined>(() => query().at)
  const [size, setSize] = useState({ width: 1, height: 1 })
  const [pick, setPick] = useState(query().pick)
  const homeCells = useMemo(() => tracer.home.zone(), [changed])
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
  }, [camera.zoom >= 4])

  useEffect(() => {
    const element = canvas.current!
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }))
    observer.observe(element)
    readColours(element)
    const theme = matchMedia('(prefers-color-scheme: dark)')
    const themed = () => {
      readColours(element)
      setSize((old) => ({ ...old }))
    }
    theme.addEventListener('change', themed)
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
        setSpot({ lat, lng })
      },
    })
    return () => {
      observer.disconnect()
      theme.removeEventListener('change', themed)
      window.removeEventListener('hashchange', jump)
      detach()
    }
  }, [])

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
        core,
        shards: manifest.parameters.shards,
        shown,
        fixes,
        exposures: events,
        zones,
        homeCells,
        position: here,
        selected: spot,
      }
      paint(element.getContext('2d')!, scene)
    })
    return () => cancelAnimationFrame(frame)
  }, [camera, size, land, shown, fixes, events, zones, homeCells, here, spot])

  const zoom = (steps: number) => setCamera(zoomAt(camera, size, steps))
  const scale = toScale(camera)
  return (
    <div class="map-page">
      <Status tracer={tracer} quiet />
      <div class="map">
        <h1 class="hidden">Map</h1>
        <p class="hidden" id="map-help">
          {count(fixes.length, 'fix', 'fixes')} and {count(events.length, 'exposure')} of this device. Arrow keys move,
          plus and minus zoom, Enter looks at the middle. The diary lists the same as a table.
        </p>
        {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes arrow keys, plus and minus itself */}
        <canvas
          ref={canvas}
          tabIndex={0}
          role="application"
          aria-label="Map of your fixes"
          aria-describedby="map-help"
        />
        <span class="cross" aria-hidden="true" />
        <div class="map-tools">
          <button type="button" onClick={() => zoom(1)} aria-label="Nearer">
            <Icon name="plus" />
          </button>
          <button type="button" onClick={() => zoom(-1)} aria-label="Farther">
            <Icon name="minus" />
          </button>
          <button
            type="button"
            onClick={() => here !== undefined && setCamera({ lat: here.lat, lng: here.lng, zoom: SPOT_ZOOM })}
            disabled={here === undefined}
            aria-label="Where I am"
          >
            <Icon name="locate" />
          </button>
          <button
            type="button"
            onClick={() => setCamera(fixes.length > 0 ? fit(fixes, size) : WORLD)}
            aria-label="All my fixes"
          >
            <Icon name="fit" />
          </button>
        </div>
        <fieldset class="layers">
          <legend class="hidden">What the map shows</legend>
          {LAYERS.filter((layer) => matching || PLAIN_LAYERS.includes(layer)).map((layer) => (
            <label key={layer} class={`layer layer-${layer}`}>
              <input type="checkbox" checked={shown.has(layer)} onChange={() => setShown(toggled(shown, layer))} />
              {LAYER_WORDS[layer]}
            </label>
          ))}
          <label class="layer">
            <input
              type="checkbox"
              checked={matching}
              onChange={() => {
                setMatching(!matching)
                setShown(new Set(matching ? PLAIN_LAYERS : LAYERS))
              }}
            />
            How matching works
          </label>
        </fieldset>
        <div class="scale" aria-hidden="true">
          <svg width={Math.ceil(scale.px) + 2} height="8" aria-hidden="true">
            <path d={`M1 1v5h${Math.round(scale.px)}V1`} />
          </svg>
          {scale.text}
        </div>
        {pick !== undefined && spot === undefined && (
          <p class="map-hint" role="status">
            {pick === 'home' ? 'Tap where your home is.' : 'Tap the place to hide.'}
          </p>
        )}
        {spot !== undefined && (
          <SpotPanel
            spot={spot}
            core={core}
            shards={manifest.parameters.shards}
            tracer={tracer}
            near={nearest(spot, camera, size)}
            onClose={() => setSpot(undefined)}
          />
        )}
      </div>
    </div>
  )
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
  const parameters = new URLSearchParams(location.hash.split('?')[1] ?? '')
  const [lat = Number.NaN, lng = Number.NaN] = (parameters.get('at') ?? '').split(',').map(Number)
  const at = Math.abs(lat) <= 90 && Number.isFinite(lng) ? { lat, lng } : undefined
  return { at, pick: parameters.get('pick') ?? undefined }
}

function toggled(shown: ReadonlySet<Layer>, layer: Layer): ReadonlySet<Layer> {
  const next = new Set(shown)
  if (!next.delete(layer)) next.add(layer)
  return next
}

/** The fix nearest to a tap. */
function nearest(spot: Spot, camera: Camera, size: { width: number; height: number }) {
  const projection = toProjection(camera, size)
  const toPx = ({ lat, lng }: Spot) => projection([lng, lat]) ?? [-1e6, -1e6]
  const [x, y] = toPx(spot)
  return diary.value
    .map((fix) => ({ fix, px: Math.hypot(toPx(fix)[0] - x, toPx(fix)[1] - y) }))
    .filter(({ px }) => px <= PICK_PX)
    .sort((a, b) => a.px - b.px)[0]?.fix
}

interface SpotProps {
  spot: Spot
  core: Core
  shards: number
  tracer: Tracer
  near: ReturnType<typeof nearest>
  onClose: () => void
}

function SpotPanel({ spot, core, shards, tracer, near, onClose }: SpotProps) {
  const { ids } = positionToHexagons(core, spot.lat, spot.lng)
  const regions = [...new Set(core.fixToCells(spot.lat, spot.lng).map((cell) => core.cellToRegion(cell)))]
  const done = () => {
    void markChanged(tracer)
    onClose()
  }
  return (
    <aside class="spot card" aria-label="This place">
      <div class="row spread">
        <h2>{near === undefined ? 'This place' : `${time(near.at)}, ${STATES[near.state].word}`}</h2>
        <button type="button" class="plain" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </div>
      <p class="mono small">{place(spot)}</p>
      {near !== undefined && <p class="small">Your fix: {STATES[near.state].why}.</p>}
      <dl class="ids">
        {(['A', 'B', 'C'] as const).map((layer, i) => (
          <div key={layer}>
            <dt class={`layer-${layer}`}>Layer {layer}</dt>
            <dd class="mono">{ids[i]}</dd>
          </div>
        ))}
        {regions.map((region) => (
          <div key={region}>
            <dt>Region {region}</dt>
            <dd>
              shard {core.regionToShard(region, shards)} of {shards}
            </dd>
          </div>
        ))}
      </dl>
      <div class="row buttons">
        <button type="button" onClick={() => tracer.home.mark(spot).then(done)}>
          My home is here
        </button>
        <button type="button" onClick={() => tracer.zones.add({ ...spot, radiusM: ZONE_RADIUS_M }).then(done)}>
          Hide {ZONE_RADIUS_M} m here
        </button>
      </div>
    </aside>
  )
}
