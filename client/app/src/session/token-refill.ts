/**
 * Fetches tokens while the app is open, when they are due. Each look comes some random minutes after the one before. So a
 * fetch goes together neither with the start of the app nor with a sync.
 */
import type { Tracer } from '@geotrace/client'
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import { refreshProtection } from './refresh.ts'

const LOOK_MIN_MS = 5 * MINUTE_MS
const JITTER_MS = 20 * MINUTE_MS

export function startTokenRefill(tracer: Tracer): void {
  const wait = (): void => void setTimeout(() => void look(), LOOK_MIN_MS + toFraction() * JITTER_MS)
  const look = async (): Promise<void> => {
    try {
      await (await tracer.tokens()).fetch()
    } catch {
      // The settings show a device that was withdrawn. Everything else is tried again at the next look.
      await refreshProtection(tracer)
    }
    wait()
  }
  wait()
}

/** Uniform in [0, 1). */
function toFraction(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32
}
