/** The outcome of fixes that were recorded together: `2 positions taken; left out: 1 near home.` */
import type { ImportedHistory } from '@geotrace/client'
import { later, words } from './text.ts'

export function recordedText({ taken, history, refused }: ImportedHistory): string {
  const { recorded, keptAsHistory, refused: toRefused } = later()
  const text = recorded(
    taken,
    [...refused].map(([reason, n]) => toRefused(n, words().refusals[reason])),
  )
  return history === 0 ? text : `${text} ${keptAsHistory(history)}`
}
