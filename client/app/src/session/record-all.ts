/** Takes the fixes of a file into the diary and the history, and counts what became of them. */
import type { Fix, ImportedHistory, RefusalReason, Tracer } from '@geotrace/client'
import { refreshDiary } from './refresh.ts'

/** Fixes between two reports of progress. */
const FIXES_PER_STEP = 100

export async function recordAll(
  tracer: Tracer,
  fixes: readonly Fix[],
  onProgress: (done: number) => void,
): Promise<ImportedHistory> {
  let [taken, history] = [0, 0]
  const refused = new Map<RefusalReason, number>()
  for (let from = 0; from < fixes.length; from += FIXES_PER_STEP) {
    onProgress(from)
    const step = await tracer.importHistory(fixes.slice(from, from + FIXES_PER_STEP))
    taken += step.taken
    history += step.history
    for (const [reason, n] of step.refused) refused.set(reason, (refused.get(reason) ?? 0) + n)
  }
  await refreshDiary(tracer)
  return { taken, history, refused }
}
