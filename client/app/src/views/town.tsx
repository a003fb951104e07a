/** In the demo: the last hours of an invented person, so that a visitor without a track sees the whole story in a minute. */
import type { Tracer } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { recordAll } from '../session/record-all.ts'
import { markChanged } from '../session/refresh.ts'
import { consents, exposures } from '../session/state.ts'
import { syncAgain } from '../session/sync.ts'
import { recordedText } from '../text/recorded.ts'
import { errorText, later } from '../text/text.ts'

export function Town({ tracer }: { tracer: Tracer }) {
  const { record, deposit } = consents.value
  const [text, setText] = useState('')
  const { town } = later()
  async function live() {
    try {
      const file = await (await fetch('/demo-track.geojson')).text()
      const { importFile } = await import('@geotrace/client/importers')
      const { home } = JSON.parse(file) as { home: { lat: number; lng: number } }
      await tracer.home.mark(home)
      await markChanged(tracer)
      const { fixes } = await importFile('demo-track.geojson', file)
      const recorded = await recordAll(tracer, fixes, () => undefined)
      setText(`${recordedText(recorded)} ${town.syncing}`)
      const synced = await syncAgain()
      setText(`${recordedText(recorded)} ${synced === undefined ? town.failed : town.synced}`)
    } catch (error) {
      setText(errorText(error))
    }
  }
  return (
    <section class="card advice" aria-labelledby="town">
      <h2 id="town">{town.title}</h2>
      <p>{town.lead}</p>
      <div class="row buttons">
        <button type="button" class="primary" disabled={!record || !deposit} onClick={live}>
          {town.take}
        </button>
        {exposures.value.length > 0 && (
          <a class="button" href="#/exposures">
            {town.see}
          </a>
        )}
      </div>
      {!(record && deposit) && <p class="small">{town.agreeFirst}</p>}
      <p role="status">{text}</p>
    </section>
  )
}
