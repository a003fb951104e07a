/** Sharing an exposure: the person sees the text first and decides about the place. The app sends nothing by itself. */
import type { Exposure } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { later } from '../text/text.ts'
import { toSharedText } from './shared-text.ts'

export function Share({ exposure }: { exposure: Exposure }) {
  const [open, setOpen] = useState(false)
  const [withPlace, setWithPlace] = useState(false)
  const [said, setSaid] = useState('')
  const { exposures: text } = later()
  const shared = toSharedText(exposure, withPlace)

  async function copy() {
    await navigator.clipboard.writeText(shared).then(
      () => setSaid(text.copied),
      () => setSaid(text.notCopied),
    )
  }
  async function share() {
    // Closing the system's sheet without choosing is no fault.
    await navigator.share({ text: shared }).catch(() => undefined)
  }

  if (!open) {
    return (
      <button type="button" onClick={() => setOpen(true)}>
        {text.share}
      </button>
    )
  }
  return (
    <section class="share" aria-label={text.share}>
      <p class="small">{text.shareWhy}</p>
      <blockquote class="share-text">{shared}</blockquote>
      <label class="check">
        <input type="checkbox" checked={withPlace} onChange={() => setWithPlace(!withPlace)} /> {text.withPlace}
      </label>
      <div class="row">
        {'share' in navigator && (
          <button type="button" class="primary" onClick={() => void share()}>
            {text.send}
          </button>
        )}
        <button type="button" onClick={() => void copy()}>
          {text.copy}
        </button>
        <button type="button" onClick={() => window.print()}>
          {text.print}
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          {text.close}
        </button>
      </div>
      <p role="status">{said}</p>
    </section>
  )
}
