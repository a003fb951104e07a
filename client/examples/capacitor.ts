import { Geolocation } from '@capacitor/geolocation'
import type { RecordResult, Tracer } from '@geotrace/client'

/** Records the positions of a Capacitor app, on a phone and in a browser. Resolves with the function that stops. */
export async function recordPositions(
  tracer: Tracer,
  onResult: (result: RecordResult) => void,
): Promise<() => Promise<void>> {
  const id = await Geolocation.watchPosition({ enableHighAccuracy: true, maximumAge: 0 }, async (position) => {
    if (position === null) await tracer.noteAbsence('unavailable')
    else onResult(await tracer.record(position))
  })
  return () => Geolocation.clearWatch({ id })
}
