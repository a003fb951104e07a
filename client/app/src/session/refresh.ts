/** Reads the tracer again and shows what it holds. */
import type { DiaryEntry, Tracer } from '@geotrace/client'
import { absences, changes, consents, diary, exposures, permission, placeNames, protection } from './state.ts'

export async function refreshDiary(tracer: Tracer): Promise<void> {
  const entries: DiaryEntry[] = []
  for await (const entry of tracer.diary()) entries.push(entry)
  diary.value = entries
}

export async function refreshAbsences(tracer: Tracer): Promise<void> {
  absences.value = await tracer.absences()
}

export async function refreshNames(tracer: Tracer): Promise<void> {
  placeNames.value = await tracer.placeNames.list()
}

export async function refreshExposures(tracer: Tracer): Promise<void> {
  exposures.value = await tracer.exposures()
  await refreshProtection(tracer)
}

export async function refreshConsents(tracer: Tracer): Promise<void> {
  consents.value = await tracer.consent.status()
  await markChanged(tracer)
}

/** After a change of home, zones, consents or pause. */
export async function markChanged(tracer: Tracer): Promise<void> {
  changes.value++
  await refreshProtection(tracer)
}

export async function refreshProtection(tracer: Tracer): Promise<void> {
  // While the code of the status cannot be loaded, the status is not known and is shown so.
  protection.value = await tracer.protection(permission.value).catch(() => undefined)
}
