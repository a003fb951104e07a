/** `geotrace reports list | try | publish | reject | retract | restore`: reports of the running central peer. node/CENTRAL.md. */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { grouped, plural } from '../../admin/page/words.ts'
import type { AccountFile } from '../../admin/staff/account-file.ts'
import type { CodeStatus } from '../../central/codes/codes.ts'
import type { ReportOutcome } from '../../central/peer-status.ts'
import type { ReviewDecision } from '../../central/review/report-review.ts'
import type { RiskSummary } from '../../central/risk/dry-run.ts'
import { DEGREES_MAX } from '../../central/risk/risk-profile.ts'
import { confirm } from '../terminal/confirm.ts'
import { csvLines } from '../terminal/csv.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { readReportCode } from '../terminal/report-code.ts'
import { minute } from '../terminal/times.ts'
import { type ControlOptions, controlOptions, toControl } from './control.ts'

/** Reports are numbered from 1. A larger number is a mistake. */
const REPORT_MAX = 999_999_999

interface ReportOptions extends ControlOptions {
  degrees?: number
  csv?: boolean
}
interface DecisionOptions extends ReportOptions {
  code?: boolean
  yes?: boolean
  reason?: string
}

const DECISIONS: Record<ReviewDecision, { what: string; done: string }> = {
  publish: {
    what: 'publish a held report: its marks are computed, and devices get them',
    done: 'is published. Devices get its marks with their next sync.',
  },
  reject: { what: 'reject a held report: it gives no marks', done: 'is rejected and gives no marks.' },
  retract: {
    what: 'remove all marks of a report',
    done: 'is retracted. Devices remove its marks at their next sync.',
  },
  restore: {
    what: 'undo a rejection or a retraction',
    done: 'is restored. A rejected report is held again; a retracted one gives its marks again.',
  },
}

export function reportsCommand(command: Command, out: Output): void {
  const number = wholeNumber(1, REPORT_MAX)
  const list = controlOptions(command.command('list'))
    .description('list the reports, their stages and how many people each marks, without names')
    .option('--csv', 'print lines of comma-separated values')
    .action((options: ReportOptions) => listReports(options, out))
  examples(list, 'geotrace reports list', 'geotrace reports list --csv > reports.csv')
  const attempt = controlOptions(command.command('try'))
    .description('count whom a report would mark, also before it is published; changes nothing')
    .argument('<report>', 'number of the report', number)
    .option('--degrees <k>', 'number of contact steps (default: as configured)', wholeNumber(1, DEGREES_MAX))
    .action((id: number, options: ReportOptions) => tryReport(id, options, out))
  examples(attempt, 'geotrace reports try 3 --degrees 2')
  for (const decision of Object.keys(DECISIONS) as ReviewDecision[]) {
    const decide = controlOptions(command.command(decision))
      .description(DECISIONS[decision].what)
      .argument('[report]', 'number of the report', number)
      .option('--code', 'find the report by its code, which the command asks for or reads from a pipe')
      .option('--yes', 'decide without a question')
    if (decision === 'reject' || decision === 'retract')
      decide.option(
        '--reason <text>',
        'why, in one line; it stays with the report and in the audit log: name no person',
      )
    decide.action((id: number | undefined, options: DecisionOptions) => decideReport(decision, id, options, out))
    examples(decide, `geotrace reports ${decision} 3`, `geotrace reports ${decision} --code`)
  }
}

async function listReports({ csv, ...control }: ReportOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const reply = (await adminRequest(to, 'GET', '/reports')) as { reports: ReportOutcome[] }
  out.json(reply)
  for (const line of csv ? reportCsv(reply.reports) : reportLines(reply.reports)) out.line(line)
}

export function reportLines(reports: readonly ReportOutcome[]): string[] {
  if (reports.length === 0) return ['No report yet.']
  const hasReasons = reports.some(({ reason }) => reason !== undefined)
  const rows = reports.map(({ id, at, from, stage, heldBy, marked, reason = '' }) => [
    `${id}`,
    minute(at),
    minute(from),
    heldBy === undefined ? stage : `${stage} (${heldBy})`,
    plural(marked, 'person', 'people'),
    ...(hasReasons ? [reason] : []),
  ])
  return toTable([
    ['report', 'reported at', 'counts from', 'stage', 'marked', ...(hasReasons ? ['reason'] : [])],
    ...rows,
  ])
}

function reportCsv(reports: readonly ReportOutcome[]): string[] {
  const time = (ms: number | undefined): string => (ms === undefined ? '' : new Date(ms).toISOString())
  const degrees = Array.from({ length: DEGREES_MAX }, (_, i) => i + 1)
  const rows = reports.map((report) => [
    `${report.id}`,
    time(report.at),
    time(report.from),
    time(report.until),
    time(report.testedAt),
    report.stage,
    report.heldBy ?? '',
    report.batch ?? '',
    report.reason ?? '',
    time(report.publishedAt),
    `${report.marked}`,
    ...degrees.map((degree) => `${report.people?.[degree - 1] ?? ''}`),
  ])
  const head = ['report', 'at', 'from', 'until', 'tested', 'stage', 'held by', 'batch', 'reason', 'published', 'marked']
  return csvLines([[...head, ...degrees.map((degree) => `degree ${degree}`)], ...rows])
}

async function decideReport(
  decision: ReviewDecision,
  id: number | undefined,
  { code = false, yes = false, reason, ...control }: DecisionOptions,
  out: Output,
): Promise<void> {
  const to = await toControl(control)
  if ((id === undefined) !== code)
    invalidCommand('expected the number of a report or --code', 'see geotrace reports list')
  const report = id ?? (await codeToReport(to, out))
  const question = yes ? '' : await toQuestion(decision, report, to)
  await confirm(question, yes, out)
  await adminRequest(to, 'POST', `/reports/${decision}`, { report, ...(reason !== undefined && { reason }) })
  out.json({ report, decision })
  out.line(`Report ${report} ${DECISIONS[decision].done}`)
}

async function codeToReport(to: string | AccountFile, out: Output): Promise<number> {
  const code = await readReportCode(out)
  const { report, state } = (await adminRequest(to, 'POST', '/codes/status', { code })) as CodeStatus
  return report ?? invalidCommand(`no report is known of this code, which is ${state}`, 'see geotrace reports list')
}

/** The question names the change in numbers. */
async function toQuestion(decision: ReviewDecision, report: number, to: string | AccountFile): Promise<string> {
  if (decision === 'publish' || decision === 'restore') {
    const summary = (await adminRequest(to, 'POST', '/dry-run', { report })) as RiskSummary
    return `Report ${report} ${summaryText(summary)}. Do you want to ${decision} it?`
  }
  const { reports } = (await adminRequest(to, 'GET', '/reports')) as { reports: ReportOutcome[] }
  const marked = reports.find((item) => item.id === report)?.marked ?? 0
  return `Report ${report} marks ${plural(marked, 'person', 'people')}. Do you want to ${decision} it?`
}

async function tryReport(report: number, { degrees, ...control }: ReportOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const body = { report, ...(degrees !== undefined && { degrees }) }
  const summary = (await adminRequest(to, 'POST', '/dry-run', body)) as RiskSummary
  out.json(summary)
  for (const line of trialLines(report, summary)) out.line(line)
  if (summary.capped) out.note('A limit of the computation was reached, so further people may be at risk.')
}

export function trialLines(report: number, summary: RiskSummary): string[] {
  return [`Report ${report} ${summaryText(summary)}.`]
}

/** "would mark 212 people at degree 1, 3,400 at degree 2 (9,876 marks)". */
function summaryText({ degrees, marks }: RiskSummary): string {
  if (degrees.length === 0) return 'would mark nobody'
  const parts = degrees.map((people, i) => {
    const count = i === 0 ? plural(people, 'person', 'people') : grouped(people)
    return `${count} at degree ${i + 1}`
  })
  return `would mark ${parts.join(', ')} (${plural(marks, 'mark')})`
}
