/** The receipt of an import: what became of every entry of the file, first in the importer and then in the diary. */
import type { RefusalReason } from '@geotrace/client'
import type { ImportReceipt, LeftOutReason } from '@geotrace/client/importers'
import { count, REASONS } from '../words.ts'

export interface Receipt {
  file: string
  imported: ImportReceipt
  /** Fixes that the diary took. */
  taken: number
  refused: ReadonlyMap<RefusalReason, number>
}

const LEFT_OUT: Readonly<Record<LeftOutReason, string>> = {
  'no-fix': 'without a measured position, such as visits and WiFi scans',
  'no-time': 'without a time',
  'no-position': 'without a position',
  'position-zero': 'at 0, 0, where receivers are before their first position',
  'position-unreadable': 'with a position that cannot be read',
  'position-impossible': 'with an impossible position',
  'time-unreadable': 'with a time that cannot be read',
  'time-impossible': 'with an impossible time',
  'time-ambiguous': 'with two different times',
  'accuracy-unreadable': 'with an accuracy that cannot be read',
  malformed: 'damaged',
  'too-old': 'older than 28 days',
}

export function ReceiptView({ file, imported, taken, refused }: Receipt) {
  const { entries, kept, first, leftOut, cutOff, assumedUtc, unknownAccuracy } = imported
  return (
    <div class="receipt">
      <p>
        <strong>{file}</strong>: {count(entries, 'entry', 'entries')} = {kept.toLocaleString()} read +{' '}
        {(entries - kept).toLocaleString()} left out.
      </p>
      <ul class="small">
        {first.map(({ reason, line, detail }) => (
          <li key={reason}>
            {leftOut[reason]?.toLocaleString()} {LEFT_OUT[reason]}
            {reason === 'too-old' ? '' : ` (the first${line > 0 ? `, line ${line}` : ''}: ${detail})`}
          </li>
        ))}
        {cutOff && <li>The file was cut off. The entries before its end were read.</li>}
        {assumedUtc > 0 && <li>{count(assumedUtc, 'time')} without a zone, read as UTC</li>}
        {unknownAccuracy > 0 && <li>{count(unknownAccuracy, 'fix', 'fixes')} of unknown accuracy</li>}
      </ul>
      <p>{toWords(taken, refused)}</p>
    </div>
  )
}

/** `2 fixes taken; left out: 1 near home.` */
export function toWords(taken: number, refused: ReadonlyMap<RefusalReason, number>): string {
  const rest = [...refused].map(([reason, n]) => `${n.toLocaleString()} ${REASONS[reason]}`)
  return `${count(taken, 'fix', 'fixes')} taken${rest.length > 0 ? `; left out: ${rest.join(', ')}` : ''}.`
}
