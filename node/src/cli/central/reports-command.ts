/** `geotrace reports list | retract | try`: reports and their marks at the running central peer. node/CENTRAL.md "Reports". */
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import type { ReportOutcome } from '../../central/peer.ts'
import type { RiskSummary } from '../../central/risk/risk-engine.ts'
import { defaultDir, examples, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'

interface ReportOptions {
  dir: string
  degrees?: number
  json?: boolean
}

export function reportsCommand(out: Output): Command {
  const on = (command: Command) => command.option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
  const list = on(new Command('list'))
    .description('list the reports and how many people each marks, without names')
    .option('--json', 'print one JSON object')
    .action((options: ReportOptions) => listReports(options, out))
  const retract = on(new Command('retract'))
    .description('remove all marks of a report')
    .argument('<report>', 'number of the report', wholeNumber)
    .action(async (report: number, { dir }: ReportOptions) => {
      await adminRequest(dir, 'POST', '/retract', { report })
      out.line(`Report ${report} is retracted. Devices remove its marks at their next sync.`)
    })
  const attempt = on(new Command('try'))
    .description('compute what a report would mark with other degrees; changes nothing')
    .argument('<report>', 'number of the report', wholeNumber)
    .option('--degrees <k>', 'number of contact steps (default: as configured)', wholeNumber)
    .option('--json', 'print one JSON object')
    .action((report: number, options: ReportOptions) => tryReport(report, options, out))
  return new Command('reports')
    .description('list, try and retract reports as the authority')
    .addCommand(examples(list, 'geotrace reports list'))
    .addCommand(examples(retract, 'geotrace reports retract 3'))
    .addCommand(examples(attempt, 'geotrace reports try 3 --degrees 2'))
}

async function listReports({ dir, json }: ReportOptions, out: Output): Promise<void> {
  const reply = (await adminRequest(dir, 'GET', '/reports')) as { reports: ReportOutcome[] }
  if (json) return out.json(reply)
  if (reply.reports.length === 0) return out.line('No reports.')
  const rows = reply.reports.map(({ id, at, from, state, marked }) => [
    `${id}`,
    time(at),
    time(from),
    state,
    `${marked}`,
  ])
  for (const line of toTable([['report', 'reported at', 'counts from', 'state', 'people marked'], ...rows]))
    out.line(line)
}

async function tryReport(report: number, { dir, degrees, json }: ReportOptions, out: Output): Promise<void> {
  const body = { report, ...(degrees !== undefined && { degrees }) }
  const summary = (await adminRequest(dir, 'POST', '/dry-run', body)) as RiskSummary
  if (json) return out.json(summary)
  const rows = summary.degrees.map((people, i) => [`degree ${i + 1}`, `${people} people`])
  for (const line of toTable([...rows, ['marks', `${summary.marks}`]])) out.line(line)
  if (summary.capped) out.note('A limit of the computation was reached, so further people may be at risk.')
}

function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
