/** The state that the views show, as signals. The other files of this room change it; views only read it. */
import type {
  Absence,
  Consents,
  DiaryEntry,
  Exposure,
  Fix,
  LocationPermission,
  NamedPlace,
  Protection,
  SyncProgress,
  SyncResult,
  Tracer,
} from '@geotrace/client'
import type { Core } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { signal } from '@preact/signals'
import type { SentFrame } from '../watched-dialer.ts'

export type Opening =
  | { state: 'opening' }
  | { state: 'waiting' }
  | { state: 'failed'; why: string }
  | { state: 'ready'; tracer: Tracer; manifest: Manifest; core: Core }
export type Recording = 'off' | 'asking' | 'on' | 'denied' | 'unavailable'
export interface SyncState {
  running: boolean
  progress: SyncProgress | undefined
  last: { at: number; result: SyncResult } | undefined
  failed: { at: number; why: string } | undefined
}

export const opening = signal<Opening>({ state: 'opening' })
export const recording = signal<Recording>('off')
/** The browser's answer about the location. */
export const permission = signal<LocationPermission>('unknown')
export const position = signal<Fix | undefined>(undefined)
export const diary = signal<DiaryEntry[]>([])
/** Why times of the diary have no fix. The diary reads them when it is shown. */
export const absences = signal<Absence[]>([])
export const placeNames = signal<NamedPlace[]>([])
export const exposures = signal<Exposure[]>([])
/** Undefined until the storage was read: a status that is not known is not shown as a good one. */
export const protection = signal<Protection | undefined>(undefined)
export const syncing = signal<SyncState>({ running: false, progress: undefined, last: undefined, failed: undefined })
/** A report was started, and perhaps waits for a sync under way. */
export const isReporting = signal(false)
export const consents = signal<Consents>({ record: false, deposit: false, report: false, spread: false })
export const sent = signal<SentFrame[]>([])
/** A counter of changes to homes, zones and consents. Views that read them from the tracer watch it. */
export const changes = signal(0)
export const online = signal(navigator.onLine)

/** The open tracer. Throws TypeError before the session is open. */
export function openTracer(): Tracer {
  const { value } = opening
  if (value.state !== 'ready') throw new TypeError('the session expected to be open')
  return value.tracer
}
