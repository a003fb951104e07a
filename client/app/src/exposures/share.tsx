/** Sharing an exposure: the person sees the text first and decides about the place. The app sends nothing by itself. */
import type { Exposure } from '@geotrace/client'
import { useState } from 'preact/hooks'
import { toSharedText } from './exposure-words.ts'

export function Share({ exposure }: { exposure: Exposure }) {
  const [open, setOpen] = useState(false)
  const [withPlace, setWithPlace] = useState(false)
  const [said, setSaid] = useState('')
  const text = toSharedText(exposure, withPlace)

  async function copy() {
    await navigator.clipboard.writeText(text).then(
      () => setSaid('Copied.'),
      () => setSaid('The browser did not copy it.'),
    )
  }
  async function share() {
    // Closing the system's sheet without choosing is no fault.
    await navigator.share({ text }).catch(() => undefined)
  }

  if (!open) {
    return (
      <button type="button" onClick={() => setOpen(true)}>
        Share or print
      </button>
    )
  }
  return (
    <section class="share" aria-label="Share or print">
      <p class="small">This text, and nothing else, goes to where you send it:</p>
      <blockquote class="share-text">{text}</blockquote>
      <label class="check">
        <input type="checkbox" checked={withPlace} onChange={() => setWithPlace(!withPlace)} /> With the place
      </label>
      <div class="row">
        {'share' in navigator && (
          <button type="button" class="primary" onClick={() => void share()}>
            Share
          </button>
        )}
        <button type="button" onClick={() => void copy()}>
          Copy
        </button>
        <button type="button" onClick={() => window.print()}>
          Print
        </button>
        <button type="button" onClick={() => setOpen(false)}>
          Close
        </button>
      </div>
      <p role="status">{said}</p>
    </section>
  )
}
