/** In the demo: the last hours of an invented person, so that a visitor without a track sees the whole story in a minute. */
import type { Tracer } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { recordAll } from '../session/record-all.ts'
import { markChanged } from '../session/refresh.ts'
import { consents, exposures } from '../session/state.ts'
import { syncAgain } from '../session/sync.ts'
import { errorToWords } from '../words.ts'
import { toWords } from './import-receipt.tsx'

export function Town({ tracer }: { tracer: Tracer }) {
  const { record, deposit } = consents.value
  const [text, setText] = useState('')
  async function live() {
    try {
      const file = await (await fetch('/demo-track.geojson')).text()
      const { importFile } = await import('@geotrace/client/importers')
      const { home } = JSON.parse(file) as { home: { lat: number; lng: number } }
      await tracer.home.mark(home)
      await markChanged(tracer)
      const { fixes } = await importFile('demo-track.geojson', file)
      const { taken, refused } = await recordAll(tracer, fixes, () => undefined)
      setText(`${toWords(taken, refused)} Syncing …`)
      const synced = await syncAgain()
      const said =
        synced === undefined ? 'The sync failed; the app tries again.' : 'Synced: look at the map and the exposures.'
      setText(`${toWords(taken, refused)} ${said}`)
    } catch (error) {
      setText(errorToWords(error))
    }
  }
  return (
    <section class="card advice" aria-labelledby="town">
      <h2 id="town">Live in the demo’s town</h2>
      <p>
        This is a demo: take over the last hours of somebody who sat in the café where Ada sat before she reported, home
        included, and see what happens.
      </p>
      <button type="button" class="primary" disabled={!record || !deposit} onClick={live}>
        Take over these hours
      </button>
      {!(record && deposit) && <p class="small">Agree to a diary and to deposits first.</p>}
      <p role="status">{text}</p>
      {exposures.value.length > 0 && (
        <a class="button" href="#/exposures">
          See the exposure
        </a>
      )}
    </section>
  )
}
