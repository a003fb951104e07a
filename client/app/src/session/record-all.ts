/** Records the fixes of a file, and counts what became of them. */
import type { Fix, RefusalReason, Tracer } from '@geotrace/client'
import { refreshDiary } from './refresh.ts'

interface Recorded {
  taken: number
  refused: Map<RefusalReason, number>
}

export async function recordAll(
  tracer: Tracer,
  fixes: readonly Fix[],
  onProgress: (done: number) => void,
): Promise<Recorded> {
  const recorded: Recorded = { taken: 0, refused: new Map() }
  for (const [i, fix] of fixes.entries()) {
    const result = await tracer.record(fix, { imported: true })
    if (result.accepted) recorded.taken++
    else recorded.refused.set(result.reason, (recorded.refused.get(result.reason) ?? 0) + 1)
    if (i % 100 === 0) onProgress(i)
  }
  await refreshDiary(tracer)
  return recorded
}
