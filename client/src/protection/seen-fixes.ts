/** When the platform last gave a usable fix, and when it last gave one that was too inaccurate. Pure; times only, no positions. */
import type { RecordResult, RefusalReason } from '../record.ts'

export interface SeenFixes {
  /** Unix ms of the newest fix that was accurate enough, also one that a zone or a better fix replaced. */
  positionMs: number | undefined
  /** Unix ms of the newest fix that was refused for its accuracy. */
  inaccurateMs: number | undefined
}

export const NO_FIXES: SeenFixes = { positionMs: undefined, inaccurateMs: undefined }

const TOO_INACCURATE: readonly RefusalReason[] = ['inaccurate', 'accuracy-unknown']
/** The position was usable, and is not kept for another reason. */
const USABLE: readonly RefusalReason[] = [
  'redacted-home',
  'redacted-zone',
  'redacted-speed',
  'not-better',
  'block-taken',
]

export function withFix(seen: SeenFixes, atMs: number, result: RecordResult): SeenFixes {
  if (result.accepted || USABLE.includes(result.reason)) return { ...seen, positionMs: atMs }
  return TOO_INACCURATE.includes(result.reason) ? { ...seen, inaccurateMs: atMs } : seen
}
