/** Records with the Geolocation API, and follows the browser's permission for it. */
import { type Fix, type LocationPermission, nextReadingAt, type RecordResult, type Tracer } from '@geotrace/client'
import { signal } from '@preact/signals'
import { refreshAbsences, refreshProtection } from './refresh.ts'
import { diary, permission, position, recording } from './state.ts'

/** The bound of a day for a person who asked for fewer positions. The diary holds 288 of a day at most. */
export const FEWER_PER_DAY = 144
const BLOCKS_PER_DAY = 288
const STORED = 'geotrace-fewer'

/** The person asked for fewer positions, to save the battery. */
export const fewer = signal(localStorage.getItem(STORED) !== null)
let watchId: number | undefined
/** No watch runs until the next position is due. */
let resting: ReturnType<typeof setTimeout> | undefined
/** The last positions that the receiver gave, also those that redaction kept out of the diary. */
let read: readonly Fix[] = []

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
  if (watchId !== undefined || resting !== undefined) return
  if (read.length === 0) read = diary.value.slice(-BLOCKS_PER_DAY)
  recording.value = 'asking'
  watch(tracer)
}

function watch(tracer: Tracer): void {
  watchId = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      const fix = { lat: coords.latitude, lng: coords.longitude, accuracyM: coords.accuracy, at: Math.round(timestamp) }
      recording.value = 'on'
      learn(tracer, 'granted')
      position.value = fix
      void tracer.record(fix).then((result) => rest(tracer, fix, result))
    },
    ({ code, PERMISSION_DENIED }) => {
      recording.value = code === PERMISSION_DENIED ? 'denied' : 'unavailable'
      void noteNoPosition(tracer)
      if (code === PERMISSION_DENIED) learn(tracer, 'denied')
    },
    { enableHighAccuracy: true, maximumAge: 0 },
  )
}

/** Without a watch the receiver sleeps. An inaccurate position is no reason to rest, because a better one may follow. */
function rest(tracer: Tracer, fix: Fix, result: RecordResult): void {
  if (!fewer.value || watchId === undefined || (!result.accepted && result.reason === 'inaccurate')) return
  read = [...read.slice(1 - BLOCKS_PER_DAY), fix]
  navigator.geolocation.clearWatch(watchId)
  watchId = undefined
  const now = Date.now()
  resting = setTimeout(
    () => {
      resting = undefined
      watch(tracer)
    },
    nextReadingAt(read, now, FEWER_PER_DAY) - now,
  )
}

export function askForFewer(tracer: Tracer, wanted: boolean): void {
  if (wanted) localStorage.setItem(STORED, 'fewer')
  else localStorage.removeItem(STORED)
  fewer.value = wanted
  if (recording.value !== 'off') restart(tracer)
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
  clearTimeout(resting)
  watchId = undefined
  resting = undefined
  read = []
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
