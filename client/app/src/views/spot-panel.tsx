/** The panel of a tapped place: its exposure or fix, and marking it as home or as a zone, with a preview and an undo. */
import type { DiaryEntry, Exposure, HomePreview, Tracer } from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import { useEffect } from 'preact/hooks'
import { coordinates } from '../coordinates.ts'
import { positionToHexagons } from '../map/hexagons.ts'
import type { Spot } from '../map/spot.ts'
import { markChanged } from '../session/refresh.ts'
import { format, later, texts, words } from '../text/text.ts'
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

export default function SpotPanel(props: SpotProps) {
  const { spot, tracer, fix, exposure, adding, matching, preview, onPreview, onDone, onClose } = props
  const { spot: text } = later()
  const radius = format().metres(ZONE_RADIUS_M)
  useEffect(() => {
    const close = (event: KeyboardEvent) => event.key === 'Escape' && onClose()
    window.addEventListener('keydown', close)
    return () => window.removeEventListener('keydown', close)
  }, [onClose])

  async function hide() {
    const id = await tracer.zones.add({ ...spot, radiusM: ZONE_RADIUS_M })
    await markChanged(tracer)
    onDone(text.hidden(radius), () => tracer.zones.remove(id))
  }
  async function markHome() {
    await tracer.home.mark(spot)
    await markChanged(tracer)
    onDone(text.homeNow, () => tracer.home.unmark(spot))
  }

  return (
    <aside class="spot card" aria-label={text.title}>
      <div class="row spread">
        <h2>{toTitle(exposure, fix)}</h2>
        <button type="button" class="plain" onClick={onClose} aria-label={text.close}>
          ✕
        </button>
      </div>
      {exposure !== undefined && (
        <p>
          {words().closeness(exposure)} {words().degree(exposure.degree)}{' '}
          <a href={`#/exposures?from=${exposure.from}`}>{text.see}</a>
        </p>
      )}
      {fix !== undefined && <p class="small">{text.yours(words().fixStates[fix.state].why)}</p>}
      <p class="mono small" translate={false}>
        {coordinates(spot)}
      </p>
      {matching && <Ids {...props} />}
      {adding ? (
        <AddStay spot={spot} tracer={tracer} />
      ) : preview === undefined ? (
        <div class="row buttons">
          <button type="button" onClick={() => onPreview(tracer.home.preview(spot))}>
            {text.homeHere}
          </button>
          <button type="button" onClick={hide}>
            {text.hide(radius)}
          </button>
        </div>
      ) : (
        <Confirm preview={preview} onYes={markHome} onNo={() => onPreview(undefined)} />
      )}
    </aside>
  )
}

function toTitle(exposure: Exposure | undefined, fix: DiaryEntry | undefined): string {
  const { day, time } = format()
  if (exposure !== undefined) return `${day(exposure.from)}, ${time(exposure.from)} – ${time(exposure.to)}`
  return fix === undefined ? later().spot.title : `${time(fix.at)}, ${words().fixStates[fix.state].word}`
}

function Confirm({ preview, onYes, onNo }: { preview: HomePreview; onYes: () => void; onNo: () => void }) {
  const { nightsAwayM } = preview
  const { spot: text } = later()
  return (
    <div role="status">
      <p>{text.preview}</p>
      {nightsAwayM !== undefined && nightsAwayM > NIGHTS_FAR_M && (
        <p class="warning">{text.far(format().kilometres(nightsAwayM / 1000))}</p>
      )}
      <div class="row buttons">
        <button type="button" class="primary" onClick={onYes}>
          {text.yes}
        </button>
        <button type="button" onClick={onNo}>
          {text.no}
        </button>
      </div>
    </div>
  )
}

function Ids({ spot, core, shards }: Pick<SpotProps, 'spot' | 'core' | 'shards'>) {
  const { layers, lab } = texts()
  const { ids } = positionToHexagons(core, spot.lat, spot.lng)
  const regions = [...new Set(core.fixToCells(spot.lat, spot.lng).map((cell) => core.cellToRegion(cell)))]
  return (
    <dl class="ids">
      {(['A', 'B', 'C'] as const).map((layer, i) => (
        <div key={layer}>
          <dt class={`layer-${layer}`}>{layers[layer]}</dt>
          <dd class="mono" translate={false}>
            {ids[i]}
          </dd>
        </div>
      ))}
      {regions.map((region) => (
        <div key={region}>
          <dt>{lab.regionTitle(region)}</dt>
          <dd>{lab.shardOf(core.regionToShard(region, shards), shards)}</dd>
        </div>
      ))}
    </dl>
  )
}
