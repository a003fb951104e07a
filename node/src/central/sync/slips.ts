/**
 * The slip that comes with a report. PROTOCOL.md §9.8. It counts with a new report only, while its period lasts. Any other
 * slip is left out, and the report is taken all the same.
 */
import { DAY_MS, type SyncKind } from '@geotrace/core-wasm/wire'
import type { SpreadTable } from '../../membership/spread-table.ts'
import type { Deposit } from '../store/central-store.ts'

export function toSlip(
  { ruleOf }: Pick<SpreadTable, 'ruleOf'>,
  kind: SyncKind,
  { reports: [report], code }: Pick<Deposit, 'code'> & Required<Pick<Deposit, 'reports'>>,
  nowMs: number,
): Deposit['slip'] {
  // Only a new report spends a code.
  if (kind.kind !== 'code' || kind.slip === undefined || report === undefined || code === undefined) return undefined
  const { period, bytes } = kind.slip
  const days = ruleOf(period)?.spread.periodDays
  if (days === undefined || nowMs < period * DAY_MS || nowMs >= (period + days) * DAY_MS) return undefined
  return { period, report: report.id, bytes }
}
