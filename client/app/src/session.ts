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
import { observable } from './observable.ts'
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

export const opening = observable<Opening>({ state: 'opening' })
export const recording = observable<Recording>('off')
export const position = observable<Fix | undefined>(undefined)
export const diary = observable<DiaryEntry[]>([])
export const refused = observable<Refused[]>([])
export const exposures = observable<Exposure[]>([])
export const syncing = observable<SyncState>({
  running: false,
  progress: undefined,
  last: undefined,
  failed: undefined,
})
export const consents = observable<Consents>({ record: false, deposit: false, report: false })
export const sent = observable<SentFrame[]>([])
/** A counter of changes to homes, zones and consents. Views that read them from the tracer watch it. */
export const changes = observable(0)
export const online = observable(navigator.onLine)

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
    opening.set({ state: 'ready', tracer, manifest, core })
    const { record, deposit } = consents.get()
    if (record && !(await tracer.isPaused())) startRecording()
    if (deposit) void syncNow()
    setInterval(tick, TICK_MS)
    window.addEventListener('online', () => online.set(true))
    window.addEventListener('offline', () => online.set(false))
    document.addEventListener('visibilitychange', tick)
  } catch (error) {
    opening.set({ state: 'failed', why: errorToWords(error) })
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
    opening.set({ state: 'waiting' })
    return levelStorage(STORE, { wait: new AbortController().signal })
  }
}

function listen(own: Tracer): void {
  own.on('recorded', ({ fix, result }) => {
    if (result.accepted) void refreshDiary()
    else if (!USUAL.includes(result.reason))
      refused.update((list) => [...list, { at: fix.at, reason: result.reason }].slice(-REFUSED_KEPT))
  })
  own.on('progress', (progress) => syncing.update((state) => ({ ...state, progress })))
  own.on('synced', () => void refreshDiary())
  own.on('exposures', (list) => exposures.set(list))
}

function keepFrame(frame: SentFrame): void {
  sent.update((list) => [...list.filter(({ id }) => id !== frame.id), frame].slice(-FRAMES_KEPT))
}

export async function refreshDiary(): Promise<void> {
  const entries: DiaryEntry[] = []
  if (tracer !== undefined) for await (const entry of tracer.diary()) entries.push(entry)
  diary.set(entries)
}

export async function refreshExposures(): Promise<void> {
  if (tracer !== undefined) exposures.set(await tracer.exposures())
}

export async function refreshConsents(): Promise<void> {
  if (tracer !== undefined) consents.set(await tracer.consent.status())
  changes.update((count) => count + 1)
}

/** Syncs, or reports with `code`. A failure is shown in the app and thrown. */
export async function syncNow(code?: string): Promise<SyncResult | undefined> {
  if (tracer === undefined || syncing.get().running) return undefined
  syncing.update((state) => ({ ...state, running: true, progress: undefined }))
  try {
    const result = await (code === undefined ? tracer.sync() : tracer.report(code))
    syncing.set({ running: false, progress: undefined, last: { at: Date.now(), result }, failed: undefined })
    // Further marks wait for the next scheduled sync: an extra sync now would show the network that there are some.
    return result
  } catch (error) {
    const failed = { at: Date.now(), why: errorToWords(error) }
    syncing.update((state) => ({ ...state, running: false, progress: undefined, failed }))
    if (code !== undefined) throw error
    return undefined
  }
}

/** Schedules the next sync: an hour after the last one, or when the network returns after a failed one. */
function tick(): void {
  const { running, last, failed } = syncing.get()
  if (running || !consents.get().deposit || !navigator.onLine) return
  const since = failed === undefined ? (last?.at ?? 0) : failed.at - HOUR_MS + 5 * TICK_MS
  if (Date.now() - since >= HOUR_MS) void syncNow()
}

export function startRecording(): void {
  if (!('geolocation' in navigator)) {
    recording.set('unavailable')
    return
  }
  if (watchId !== undefined) return
  recording.set('asking')
  watchId = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      const fix = { lat: coords.latitude, lng: coords.longitude, accuracyM: coords.accuracy, at: Math.round(timestamp) }
      recording.set('on')
      position.set(fix)
      void tracer?.record(fix)
    },
    ({ code, PERMISSION_DENIED }) => recording.set(code === PERMISSION_DENIED ? 'denied' : 'unavailable'),
    { enableHighAccuracy: true, maximumAge: 0 },
  )
}

export function stopRecording(): void {
  if (watchId !== undefined) navigator.geolocation.clearWatch(watchId)
  watchId = undefined
  recording.set('off')
}
