/** The outcome of fixes that were recorded together: `2 positions taken; left out: 1 near home.` */
import type { RefusalReason } from '@geotrace/client'
import { later, words } from './text.ts'

export function recordedText(taken: number, refused: ReadonlyMap<RefusalReason, number>): string {
  const { recorded, refused: toRefused } = later()
  return recorded(
    taken,
    [...refused].map(([reason, n]) => toRefused(n, words().refusals[reason])),
  )
}
