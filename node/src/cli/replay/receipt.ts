/** The receipt of a replay: what became of every entry of the tracks, first in the import and then in the diaries. */
import type { RefusalReason } from '@geotrace/client'
import type { LeftOutReason } from '@geotrace/client/importers'
import { grouped, plural } from '../../admin/page/words.ts'
import type { Person } from './people.ts'

/** `entries` is the sum of `kept` and of all counts in `leftOut`. */
interface ImportSum {
  files: number
  entries: number
  kept: number
  leftOut: Partial<Record<LeftOutReason, number>>
  assumedUtc: number
  unknownAccuracy: number
}

/** The sum of `taken` and of all counts in `refused` is the number of fixes that were offered to the diaries. */
export interface RecordSum {
  taken: number
  refused: Partial<Record<RefusalReason, number>>
}

const REFUSALS: Readonly<Partial<Record<RefusalReason, string>>> = {
  inaccurate: 'worse than 10 m',
  'accuracy-unknown': 'of unknown accuracy',
  'not-better': 'thinned out: the diary had a better fix of the same five minutes',
  'block-taken': 'thinned out: a fix of the same five minutes was hashed already',
  'redacted-home': 'near home',
  'redacted-zone': 'in a zone',
  'redacted-speed': 'too fast',
}

export function sumImports(people: readonly Person[]): ImportSum {
  const sum: ImportSum = { files: 0, entries: 0, kept: 0, leftOut: {}, assumedUtc: 0, unknownAccuracy: 0 }
  for (const { receipt } of people.flatMap(({ imports }) => imports)) {
    sum.files++
    sum.entries += receipt.entries
    sum.kept += receipt.kept
    sum.assumedUtc += receipt.assumedUtc
    sum.unknownAccuracy += receipt.unknownAccuracy
    for (const [reason, count] of Object.entries(receipt.leftOut) as [LeftOutReason, number][]) {
      sum.leftOut[reason] = (sum.leftOut[reason] ?? 0) + count
    }
  }
  return sum
}

/** One line for all files, and one for each file of which something was left out. */
export function importLines(people: readonly Person[]): string[] {
  const { files, entries, kept, leftOut, assumedUtc, unknownAccuracy } = sumImports(people)
  const notes = [
    ...(unknownAccuracy > 0 ? [`${plural(unknownAccuracy, 'fix', 'fixes')} of unknown accuracy`] : []),
    ...(assumedUtc > 0 ? [`${plural(assumedUtc, 'time')} without a zone, read as UTC`] : []),
  ]
  const lines = [
    `imported: ${plural(files, 'file')}, ${plural(entries, 'entry', 'entries')} = ${grouped(kept)} kept + ${grouped(entries - kept)} left out`,
  ]
  if (entries > kept) lines[0] += ` (${counts(leftOut)})`
  if (notes.length > 0) lines.push(`  ${notes.join(', ')}`)
  for (const { imports, skipped } of people) {
    for (const { file, receipt } of imports) {
      for (const { line, reason, detail } of receipt.first) {
        lines.push(
          `  ${file}${line > 0 ? `, line ${line}` : ''}: ${receipt.leftOut[reason]} ${reason}, the first: ${detail}`,
        )
      }
      if (receipt.cutOff) lines.push(`  ${file}: the file was cut off; the entries before its end were read`)
    }
    for (const { file, reason } of skipped) lines.push(`  ${file}: skipped: ${reason}`)
  }
  return lines
}

export function recordLine({ taken, refused }: RecordSum): string {
  const all = Object.values(refused).reduce((sum, count) => sum + count, 0)
  const named = Object.fromEntries(
    (Object.entries(refused) as [RefusalReason, number][]).map(([reason, n]) => [REFUSALS[reason] ?? reason, n]),
  )
  const reasons = all > 0 ? ` (${counts(named)})` : ''
  return `recorded: ${plural(taken + all, 'fix', 'fixes')} = ${grouped(taken)} taken + ${grouped(all)} left out${reasons}`
}

function counts(byReason: Readonly<Record<string, number>>): string {
  return Object.entries(byReason)
    .map(([reason, count]) => `${grouped(count)} ${reason}`)
    .join(', ')
}
