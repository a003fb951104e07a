/** The panel of a tapped place: its exposure or fix, and marking it as home or as a zone, with a preview and an undo. */
import type { DiaryEntry, Exposure, HomePreview, Tracer } from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import { useEffect } from 'preact/hooks'
import { STATES } from '../day/gap-words.ts'
import { positionToHexagons } from '../map/hexagons.ts'
import type { Spot } from '../map/spot.ts'
import { markChanged } from '../session/refresh.ts'
import { closeness, day, degreeToWords, place, time } from '../words.ts'
import { AddStay } from './add-stay.tsx'

const ZONE_RADIUS_M = 200
/** Home is usually where the nights were. A place farther off asks once more. */
const NIGHTS_FAR_M = 1_000

interface SpotProps {
  spot: Spot
  core: Core
  shards: number
  tracer: Tracer
  fix: DiaryEntry | undefined
  exposure: Exposure | undefined
  /** The person adds a place by hand. */
  adding: boolean
  /** The panel shows ids of cells and shards too. */
  matching: boolean
  /** The zone that marking would hide, while the person decides. */
  preview: HomePreview | undefined
  onPreview: (preview: HomePreview | undefined) => void
  /** After a change, with the function that takes it back. */
  onDone: (text: string, undo: () => Promise<void>) => void
  onClose: () => void
}

export function SpotPanel(props: SpotProps) {
  const { spot, tracer, fix, exposure, adding, matching, preview, onPreview, onDone, onClose } = props
  useEffect(() => {
    const close = (event: KeyboardEvent) => event.key === 'Escape' && onClose()
    window.addEventListener('keydown', close)
    return () => window.removeEventListener('keydown', close)
  }, [onClose])

  async function hide() {
    const id = await tracer.zones.add({ ...spot, radiusM: ZONE_RADIUS_M })
    await markChanged(tracer)
    onDone(`${ZONE_RADIUS_M} m around this place are hidden.`, () => tracer.zones.remove(id))
  }
  async function markHome() {
    await tracer.home.mark(spot)
    await markChanged(tracer)
    onDone('This is your home now. What waited may go out.', () => tracer.home.unmark(spot))
  }

  return (
    <aside class="spot card" aria-label="This place">
      <div class="row spread">
        <h2>{toTitle(exposure, fix)}</h2>
        <button type="button" class="plain" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </div>
      {exposure !== undefined && (
        <p>
          {closeness(exposure)} {degreeToWords(exposure.degree)}{' '}
          <a href={`#/exposures?from=${exposure.from}`}>See this exposure</a>
        </p>
      )}
      {fix !== undefined && <p class="small">Your position: {STATES[fix.state].why}.</p>}
      <p class="mono small">{place(spot)}</p>
      {matching && <Ids {...props} />}
      {adding ? (
        <AddStay spot={spot} tracer={tracer} />
      ) : preview === undefined ? (
        <div class="row buttons">
          <button type="button" onClick={() => onPreview(tracer.home.preview(spot))}>
            My home is here
          </button>
          <button type="button" onClick={hide}>
            Hide {ZONE_RADIUS_M} m here
          </button>
        </div>
      ) : (
        <Confirm preview={preview} onYes={markHome} onNo={() => onPreview(undefined)} />
      )}
    </aside>
  )
}

function toTitle(exposure: Exposure | undefined, fix: DiaryEntry | undefined): string {
  if (exposure !== undefined) return `${day(exposure.from)}, ${time(exposure.from)} – ${time(exposure.to)}`
  return fix === undefined ? 'This place' : `${time(fix.at)}, ${STATES[fix.state].word}`
}

function Confirm({ preview, onYes, onNo }: { preview: HomePreview; onYes: () => void; onNo: () => void }) {
  const { nightsAwayM } = preview
  return (
    <div role="status">
      <p>The grey zone on the map is never sent. It is larger than your home, and not centred on it.</p>
      {nightsAwayM !== undefined && nightsAwayM > NIGHTS_FAR_M && (
        <p class="warning">
          This is {(nightsAwayM / 1000).toFixed(1)} km from the places where this device spent its nights. A wrong home
          lets your real home go out.
        </p>
      )}
      <div class="row buttons">
        <button type="button" class="primary" onClick={onYes}>
          Yes, hide this zone
        </button>
        <button type="button" onClick={onNo}>
          No
        </button>
      </div>
    </div>
  )
}

function Ids({ spot, core, shards }: Pick<SpotProps, 'spot' | 'core' | 'shards'>) {
  const { ids } = positionToHexagons(core, spot.lat, spot.lng)
  const regions = [...new Set(core.fixToCells(spot.lat, spot.lng).map((cell) => core.cellToRegion(cell)))]
  return (
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
  )
}
