/** Records with the Geolocation API, and follows the browser's permission for it. */
import type { LocationPermission, Tracer } from '@geotrace/client'
import { refreshAbsences, refreshProtection } from './refresh.ts'
import { permission, position, recording } from './state.ts'

let watchId: number | undefined

/** Browsers without the Permissions API tell the permission only with the first position or error. */
export async function watchPermission(tracer: Tracer): Promise<void> {
  const status = await navigator.permissions?.query({ name: 'geolocation' }).catch(() => undefined)
  if (status === undefined) return
  const take = () => {
    permission.value = status.state
    if (status.state === 'granted' && recording.value === 'denied') restart(tracer)
    void refreshProtection(tracer)
  }
  status.addEventListener('change', take)
  permission.value = status.state
}

export function startRecording(tracer: Tracer): void {
  if (!('geolocation' in navigator)) {
    recording.value = 'unavailable'
    return
  }
  if (watchId !== undefined) return
  recording.value = 'asking'
  watchId = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      const fix = { lat: coords.latitude, lng: coords.longitude, accuracyM: coords.accuracy, at: Math.round(timestamp) }
      recording.value = 'on'
      learn(tracer, 'granted')
      position.value = fix
      void tracer.record(fix)
    },
    ({ code, PERMISSION_DENIED }) => {
      recording.value = code === PERMISSION_DENIED ? 'denied' : 'unavailable'
      void noteNoPosition(tracer)
      if (code === PERMISSION_DENIED) learn(tracer, 'denied')
    },
    { enableHighAccuracy: true, maximumAge: 0 },
  )
}

/** The diary states that no position came because the browser or the device gave none. */
export async function noteNoPosition(tracer: Tracer): Promise<void> {
  const { value } = recording
  if (value !== 'denied' && value !== 'unavailable') return
  await tracer.noteAbsence(value)
  await refreshAbsences(tracer)
}

export function stopRecording(): void {
  if (watchId !== undefined) navigator.geolocation.clearWatch(watchId)
  watchId = undefined
  recording.value = 'off'
}

/** A watch that was denied gives no position after the user allows it, so a new watch begins. */
export function restart(tracer: Tracer): void {
  stopRecording()
  startRecording(tracer)
}

function learn(tracer: Tracer, answer: LocationPermission): void {
  if (permission.value === answer) return
  permission.value = answer
  void refreshProtection(tracer)
}
