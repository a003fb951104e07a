/** `geotrace reports list | retract | try`: reports and their marks at the running central peer. node/CENTRAL.md "Reports". */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { plural } from '../../admin/page/words.ts'
import type { ReportOutcome } from '../../central/peer.ts'
import type { RiskSummary } from '../../central/risk/dry-run.ts'
import { DEGREES_MAX } from '../../central/risk/risk-profile.ts'
import { defaultDir, examples, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import { minute } from '../terminal/times.ts'

/** Reports are numbered from 1. A larger number is a mistake. */
const REPORT_MAX = 999_999_999

interface ReportOptions {
  dir: string
  degrees?: number
}

export function reportsCommand(command: Command, out: Output): void {
  const dir = ['--dir <dir>', 'directory of the central peer', defaultDir('central')] as const
  const report = ['<report>', 'number of the report', wholeNumber(1, REPORT_MAX)] as const
  const list = command
    .command('list')
    .description('list the reports and how many people each marks, without names')
    .option(...dir)
    .action((options: ReportOptions) => listReports(options, out))
  examples(list, 'geotrace reports list')
  const retract = command
    .command('retract')
    .description('remove all marks of a report')
    .argument(...report)
    .option(...dir)
    .action((id: number, options: ReportOptions) => retractReport(id, options, out))
  examples(retract, 'geotrace reports retract 3')
  const attempt = command
    .command('try')
    .description('compute what a report would mark with other degrees; changes nothing')
    .argument(...report)
    .option(...dir)
    .option('--degrees <k>', 'number of contact steps (default: as configured)', wholeNumber(1, DEGREES_MAX))
    .action((id: number, options: ReportOptions) => tryReport(id, options, out))
  examples(attempt, 'geotrace reports try 3 --degrees 2')
}

async function listReports({ dir }: ReportOptions, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const reply = (await adminRequest(dir, 'GET', '/reports')) as { reports: ReportOutcome[] }
  out.json(reply)
  for (const line of reportLines(reply.reports)) out.line(line)
}

export function reportLines(reports: readonly ReportOutcome[]): string[] {
  if (reports.length === 0) return ['No report yet.']
  const rows = reports.map(({ id, at, from, state, marked }) => [
    `${id}`,
    minute(at),
    minute(from),
    state,
    plural(marked, 'person', 'people'),
  ])
  return toTable([['report', 'reported at', 'counts from', 'state', 'marked'], ...rows])
}

async function retractReport(report: number, { dir }: ReportOptions, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  await adminRequest(dir, 'POST', '/retract', { report })
  out.json({ report, retracted: true })
  out.line(`Report ${report} is retracted. Devices remove its marks at their next sync.`)
}

async function tryReport(report: number, { dir, degrees }: ReportOptions, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const body = { report, ...(degrees !== undefined && { degrees }) }
  const summary = (await adminRequest(dir, 'POST', '/dry-run', body)) as RiskSummary
  out.json(summary)
  for (const line of trialLines(summary)) out.line(line)
  if (summary.capped) out.note('A limit of the computation was reached, so further people may be at risk.')
}

export function trialLines({ degrees, marks }: RiskSummary): string[] {
  const rows = degrees.map((people, i) => [`degree ${i + 1}`, plural(people, 'person', 'people')])
  return toTable([...rows, ['together', plural(marks, 'mark')]])
}
