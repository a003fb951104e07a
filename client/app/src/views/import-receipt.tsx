/** The receipt of an import: what became of every entry of the file, first in the importer and then in the diary. */
import type { ImportedHistory } from '@geotrace/client'
import type { ImportReceipt } from '@geotrace/client/importers'
import { recordedText } from '../text/recorded.ts'
import { Rich } from '../text/rich.tsx'
import { later, words } from '../text/text.ts'

export interface Receipt extends ImportedHistory {
  file: string
  imported: ImportReceipt
}

export function ReceiptView({ file, imported, ...recorded }: Receipt) {
  const { entries, kept, first, leftOut, cutOff, assumedUtc, unknownAccuracy } = imported
  const { transfer } = later()
  return (
    <div class="receipt">
      <p>
        <Rich text={transfer.receipt(file, entries, kept)} parts={{ b: (inner) => <strong>{inner}</strong> }} />
      </p>
      <ul class="small">
        {first.map(({ reason, line, detail }) => {
          const place = line > 0 ? `${words().line(line)}: ${detail}` : detail
          const count = leftOut[reason] ?? 0
          return (
            <li key={reason}>
              {reason === 'too-old'
                ? transfer.left(count, transfer.leftOut[reason])
                : transfer.firstAt(count, transfer.leftOut[reason], place)}
            </li>
          )
        })}
        {cutOff && <li>{transfer.cutOff}</li>}
        {assumedUtc > 0 && <li>{transfer.assumedUtc(assumedUtc)}</li>}
        {unknownAccuracy > 0 && <li>{transfer.unknownAccuracy(unknownAccuracy)}</li>}
      </ul>
      <p>{recordedText(recorded)}</p>
    </div>
  )
}
