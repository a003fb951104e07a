/**
 * The app's one tracer, and the signals that the views show. Opens the sealed storage of this browser and follows the
 * tracer's events. Records with the Geolocation API, and syncs every hour while the app is open.
 */
import {
  type Consents,
  createTracer,
  type DiaryEntry,
  deviceKey,
  type Exposure,
  encryptedStorage,
  type Fix,
  isFederationError,
  levelStorage,
  libp2pDialer,
  type RefusalReason,
  type SyncProgress,
  type SyncResult,
  type Tracer,
} from '@geotrace/client'
import { type Core, loadCore } from '@geotrace/core-wasm'
import { HOUR_MS, type Manifest, parseManifest } from '@geotrace/core-wasm/wire'
import { signal } from '@preact/signals'
import { FRAMES_KEPT, type SentFrame, watchedDialer } from './watched-dialer.ts'
import { errorToWords } from './words.ts'

const STORE = 'geotrace'
const TICK_MS = 20_000
/** Refused fixes that the diary lists; later ones are only counted. */
const REFUSED_KEPT = 300
/** A receiver gives a position a second and the diary keeps one in five minutes, so these refusals are not shown. */
const USUAL: readonly RefusalReason[] = ['not-better', 'block-taken']

export type Opening =
  | { state: 'opening' }
  | { state: 'waiting' }
  | { state: 'failed'; why: string }
  | { state: 'ready'; tracer: Tracer; manifest: Manifest; core: Core }
export type Recording = 'off' | 'asking' | 'on' | 'denied' | 'unavailable'
export interface Refused {
  at: number
  reason: RefusalReason
}
export interface SyncState {
  running: boolean
  progress: SyncProgress | undefined
  last: { at: number; result: SyncResult } | undefined
  failed: { at: number; why: string } | undefined
}

export const opening = signal<Opening>({ state: 'opening' })
export const recording = signal<Recording>('off')
export const position = signal<Fix | undefined>(undefined)
export const diary = signal<DiaryEntry[]>([])
export const refused = signal<Refused[]>([])
export const exposures = signal<Exposure[]>([])
export const syncing = signal<SyncState>({
  running: false,
  progress: undefined,
  last: undefined,
  failed: undefined,
})
export const consents = signal<Consents>({ record: false, deposit: false, report: false })
export const sent = signal<SentFrame[]>([])
/** A counter of changes to homes, zones and consents. Views that read them from the tracer watch it. */
export const changes = signal(0)
export const online = signal(navigator.onLine)

let tracer: Tracer | undefined
let watchId: number | undefined

export async function openSession(): Promise<void> {
  try {
    const text = await (await fetch('/federation.json')).text()
    const manifest = parseManifest(text)
    const core = await loadCore({ pins: manifest.core })
    tracer = await createTracer({
      federation: manifest,
      core,
      storage: await encryptedStorage(await openStore(), await deviceKey(STORE)),
      dialer: watchedDialer(libp2pDialer(), keepFrame),
      consent: 'required',
      ...(manifest.demo && { timeZoneOffsetMin: await toTownTime() }),
    })
    listen(tracer)
    await Promise.all([refreshDiary(), refreshExposures(), refreshConsents()])
    opening.value = { state: 'ready', tracer, manifest, core }
    const { record, deposit } = consents.value
    if (record && !(await tracer.isPaused())) startRecording()
    if (deposit) void syncNow()
    setInterval(tick, TICK_MS)
    window.addEventListener('online', () => (online.value = true))
    window.addEventListener('offline', () => (online.value = false))
    document.addEventListener('visibilitychange', tick)
  } catch (error) {
    opening.value = { state: 'failed', why: errorToWords(error) }
  }
}

/** The demo's town has a clock of its own, so that no night keeps its deposits in the state `held`. */
async function toTownTime(): Promise<() => number> {
  try {
    const { offsetMin } = (await (await fetch('/demo-track.geojson')).json()) as { offsetMin: number }
    return () => offsetMin
  } catch {
    return () => -new Date().getTimezoneOffset()
  }
}

/** Opens the storage. While another tab has it, this tab waits. */
async function openStore() {
  try {
    return await levelStorage(STORE)
  } catch (error) {
    if (!isFederationError(error, 'STORE_LOCKED')) throw error
    opening.value = { state: 'waiting' }
    return levelStorage(STORE, { wait: new AbortController().signal })
  }
}

function listen(own: Tracer): void {
  own.on('recorded', ({ fix, result }) => {
    if (result.accepted) void refreshDiary()
    else if (!USUAL.includes(result.reason))
      refused.value = [...refused.value, { at: fix.at, reason: result.reason }].slice(-REFUSED_KEPT)
  })
  own.on('progress', (progress) => {
    syncing.value = { ...syncing.value, progress }
  })
  own.on('synced', () => void refreshDiary())
  own.on('exposures', (list) => (exposures.value = list))
}

function keepFrame(frame: SentFrame): void {
  sent.value = [...sent.value.filter(({ id }) => id !== frame.id), frame].slice(-FRAMES_KEPT)
}

export async function refreshDiary(): Promise<void> {
  const entries: DiaryEntry[] = []
  if (tracer !== undefined) for await (const entry of tracer.diary()) entries.push(entry)
  diary.value = entries
}

export async function refreshExposures(): Promise<void> {
  if (tracer !== undefined) exposures.value = await tracer.exposures()
}

export async function refreshConsents(): Promise<void> {
  if (tracer !== undefined) consents.value = await tracer.consent.status()
  changes.value++
}

/** Syncs, or reports with `code`. A failure is shown in the app and thrown. */
export async function syncNow(code?: string): Promise<SyncResult | undefined> {
  if (tracer === undefined || syncing.value.running) return undefined
  syncing.value = { ...syncing.value, running: true, progress: undefined }
  try {
    const result = await (code === undefined ? tracer.sync() : tracer.report(code))
    syncing.value = { running: false, progress: undefined, last: { at: Date.now(), result }, failed: undefined }
    // Further marks wait for the next scheduled sync: an extra sync now would show the network that there are some.
    return result
  } catch (error) {
    const failed = { at: Date.now(), why: errorToWords(error) }
    syncing.value = { ...syncing.value, running: false, progress: undefined, failed }
    if (code !== undefined) throw error
    return undefined
  }
}

/** Schedules the next sync: an hour after the last one, or when the network returns after a failed one. */
function tick(): void {
  const { running, last, failed } = syncing.value
  if (running || !consents.value.deposit || !navigator.onLine) return
  const since = failed === undefined ? (last?.at ?? 0) : failed.at - HOUR_MS + 5 * TICK_MS
  if (Date.now() - since >= HOUR_MS) void syncNow()
}

export function startRecording(): void {
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
      position.value = fix
      void tracer?.record(fix)
    },
    ({ code, PERMISSION_DENIED }) => (recording.value = code === PERMISSION_DENIED ? 'denied' : 'unavailable'),
    { enableHighAccuracy: true, maximumAge: 0 },
  )
}

export function stopRecording(): void {
  if (watchId !== undefined) navigator.geolocation.clearWatch(watchId)
  watchId = undefined
  recording.value = 'off'
}
