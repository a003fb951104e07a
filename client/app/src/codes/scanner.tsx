/** Reads a QR code with the camera. Its pictures stay in this page. The library `qr` is loaded with the first scan. */
import '../styles/codes.css'
import { useEffect, useRef, useState } from 'preact/hooks'
import { later } from '../text/text.ts'

const LOOK_MS = 250
/** The authority's QR code holds the report code itself, alone or at the end of an address. */
const CODE = /([0-9A-Z]{4}-?){4}$/i

export function Scanner({ onCode }: { onCode: (code: string) => void }) {
  const [open, setOpen] = useState(false)
  const [failed, setFailed] = useState<string | undefined>(undefined)
  const { report: text } = later()
  const video = useRef<HTMLVideoElement>(null)

  useEffect(() => {
    if (!open) return
    const ended = new AbortController()
    setFailed(undefined)
    scan(video.current!, ended.signal)
      .then((code) => {
        if (code === undefined) return
        onCode(code)
        setOpen(false)
      })
      .catch((error: unknown) => {
        setFailed(toFailure(error))
        setOpen(false)
      })
    return () => ended.abort()
  }, [open])

  if (navigator.mediaDevices === undefined) return null
  return (
    <div class="scanner">
      <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {open ? text.stopCamera : text.scan}
      </button>
      {open && <video ref={video} muted playsInline aria-label={text.camera} />}
      <div role="status">{failed !== undefined && <p class="warning">{failed}</p>}</div>
    </div>
  )
}

/** Shows the camera in `video` until it reads a code. Resolves with undefined when the person stops it before. */
async function scan(video: HTMLVideoElement, ended: AbortSignal): Promise<string | undefined> {
  // Load the library before the camera starts: without a network a later failure would leave the camera on.
  const { BarcodeDetector } = await import('qr/decode.js')
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } })
  try {
    video.srcObject = stream
    await video.play()
    const detector = new BarcodeDetector({ formats: ['qr_code'] })
    while (!ended.aborted) {
      const found = await detector.detect(video)
      const code = found.map(({ rawValue }) => CODE.exec(rawValue)?.[0]).find((text) => text !== undefined)
      if (code !== undefined) return code
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
    return undefined
  } catch (error) {
    // The video was removed from the page while it started to play.
    if (ended.aborted) return undefined
    throw error
  } finally {
    for (const track of stream.getTracks()) track.stop()
  }
}

function toFailure(error: unknown): string {
  const { cameraDenied, noCamera, cameraFailed } = later().report
  switch ((error as { name?: string }).name) {
    case 'NotAllowedError':
      return cameraDenied
    case 'NotFoundError':
      return noCamera
    default:
      return cameraFailed
  }
}
