/**
 * Takes a fix into the diary, or gives the reason for a refusal. DESIGN.md §9; README "Errors and reasons" lists the
 * reasons. A night's fix teaches home even when it is too inaccurate to be kept, because most fixes indoors are.
 */
import type { Fix } from '@geotrace/core-wasm'
import { ACCURACY_DEFAULT_M, MINUTE_MS, type Parameters } from '@geotrace/core-wasm/wire'
import { isErasing } from './deposit/batch.ts'
import { readConsents } from './device/consent.ts'
import type { Device } from './device/device.ts'
import { forgetWhenDue } from './device/forget-when-due.ts'
import { isBeyondWindow } from './diary/fix-block.ts'
import { keep } from './diary/fix-states.ts'
import { KEYS } from './storage/key-layout.ts'
import type { StorageOperation } from './storage/storage.ts'

/** Why a fix was refused. The names are stable within a major version. */
export const REFUSAL_REASONS = [
  'invalid',
  'future',
  'too-old',
  'inaccurate',
  'accuracy-unknown',
  'paused',
  'no-consent',
  'erasing',
  'redacted-home',
  'redacted-zone',
  'redacted-speed',
  'not-better',
  'block-taken',
] as const
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

export type RecordResult = { accepted: true } | { accepted: false; reason: RefusalReason }

export interface RecordOptions {
  /** The fix comes from an importer, which may not know the accuracy. */
  imported?: boolean
}

/** The shape of the W3C's `GeolocationPosition`, which browsers and Capacitor give. */
export interface GeolocationReading {
  readonly coords: { readonly latitude: number; readonly longitude: number; readonly accuracy: number }
  /** Unix ms, perhaps with a fraction. */
  readonly timestamp: number
}

/** The clock of a receiver may be this far ahead of the device's clock. */
const FUTURE_MAX_MS = MINUTE_MS

/** Call with the device's lock held. */
export async function recordFix(
  device: Device,
  fix: Fix,
  { imported = false }: RecordOptions,
  consent: 'required' | undefined,
): Promise<RecordResult> {
  const { storage, clock, redactor } = device
  const nowMs = clock.now()
  await forgetWhenDue(device)
  if (!isValidFix(fix)) return refuse('invalid')
  if (fix.at > nowMs + FUTURE_MAX_MS) return refuse('future')
  if ((await storage.get(KEYS.paused)) !== undefined) return refuse('paused')
  if (await isErasing(storage)) return refuse('erasing')
  if (consent === 'required' && !(await readConsents(storage)).record) return refuse('no-consent')
  const known = withoutUnknown(fix)
  const lesson = known.accuracyM !== undefined || imported ? redactor.learn(known) : undefined
  try {
    const kept = await toOperations(device, known, imported, nowMs)
    const gap = typeof kept === 'string' ? await noteRefusal(device, known, kept) : kept
    const operations = [...(lesson?.operations ?? []), ...gap]
    // One write for both, because starting a write takes longer than the write itself.
    if (operations.length > 0) await storage.batch(operations)
    return typeof kept === 'string' ? refuse(kept) : { accepted: true }
  } catch (error) {
    lesson?.unlearn()
    throw error
  }
}

/** A page that cannot load this code has gaps without a cause. */
async function noteRefusal({ storage }: Device, { at }: Fix, reason: RefusalReason): Promise<StorageOperation[]> {
  const code = await import('./diary/absences.ts').catch(() => undefined)
  return code?.noteRefusedFix(storage, at, reason) ?? []
}

async function toOperations(
  { storage, redactor, manifest }: Device,
  fix: Fix,
  imported: boolean,
  nowMs: number,
): Promise<StorageOperation[] | RefusalReason> {
  if (isBeyondWindow(fix.at, nowMs)) return 'too-old'
  if (fix.accuracyM === undefined && !imported) return 'accuracy-unknown'
  if (fix.accuracyM !== undefined && fix.accuracyM > accuracyMaxM(manifest.parameters)) return 'inaccurate'
  return redactor.toReason(fix, nowMs) ?? keep(storage, fix)
}

/** The least accurate fix that devices of this federation keep, m. README "Accuracy". */
export function accuracyMaxM({ accuracyM = ACCURACY_DEFAULT_M }: Pick<Parameters, 'accuracyM'>): number {
  return accuracyM
}

/** Takes a fix as it is. */
export function toFix(reading: Fix | GeolocationReading): Fix {
  if (!('coords' in reading)) return reading
  const { latitude: lat, longitude: lng, accuracy: accuracyM } = reading.coords
  return { lat, lng, accuracyM, at: Math.round(reading.timestamp) }
}

function isValidFix({ lat, lng, accuracyM, at }: Fix): boolean {
  const accurate = accuracyM === undefined || (Number.isFinite(accuracyM) && accuracyM >= 0)
  // Receivers without a position give 0, 0, a place in the open sea.
  const isPlace = Math.abs(lat) <= 90 && Number.isFinite(lng) && (lat !== 0 || lng !== 0)
  return isPlace && Number.isSafeInteger(at) && at >= 0 && accurate
}

/** Removes foreign fields. Receivers and files write an accuracy of 0 for unknown. */
export function withoutUnknown({ lat, lng, accuracyM, at }: Fix): Fix {
  return accuracyM === undefined || accuracyM === 0 ? { lat, lng, at } : { lat, lng, accuracyM, at }
}

function refuse(reason: RefusalReason): RecordResult {
  return { accepted: false, reason }
}
