/** `geotrace codes issue | list | status | revoke`: report codes of the running central peer. node/CENTRAL.md "Report codes". */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { plural } from '../../admin/page/words.ts'
import type { CodeBatch } from '../../central/codes/batches.ts'
import type { CodeStatus, IssuedCodes } from '../../central/codes/codes.ts'
import { CODE_DAYS_MAX, CODES_PER_ISSUE_MAX, type CodeOrder } from '../../central/codes/order.ts'
import { confirm } from '../terminal/confirm.ts'
import { csvLines } from '../terminal/csv.ts'
import { examples, moment, pastMoment, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { readReportCode } from '../terminal/report-code.ts'
import { minute } from '../terminal/times.ts'
import { type ControlOptions, controlOptions, toControl } from './control.ts'

interface CodesOptions extends ControlOptions {
  csv?: boolean
}
interface IssueOptions extends CodesOptions, CodeOrder {
  qr?: boolean
}
interface RevokeOptions extends CodesOptions {
  batch?: string
  yes?: boolean
}

export function codesCommand(command: Command, out: Output): void {
  const csv = ['--csv', 'print lines of comma-separated values'] as const
  const issue = controlOptions(command.command('issue'))
    .description('issue a batch of report codes; each authorises one report and is shown once')
    .option('--count <n>', 'number of codes', wholeNumber(1, CODES_PER_ISSUE_MAX), 1)
    .option('--days <days>', 'days until the codes expire', wholeNumber(1, CODE_DAYS_MAX), 1)
    .option('--label <text>', 'label of the batch, for example a laboratory; never a person')
    .option('--from <time>', 'start of the infectious time (default: the oldest deposit that is kept)', pastMoment)
    .option('--until <time>', 'end of the infectious time (default: none)', moment)
    .option('--onset <day>', 'day of the first symptoms, from which start and end follow', pastMoment)
    .option('--tested <day>', 'day of the test', pastMoment)
    .option('--qr', 'print each code also as a QR code for the camera of the app')
    .option(...csv)
    .action(({ tested, ...options }: IssueOptions & { tested?: number }) =>
      issueCodes({ ...options, ...(tested !== undefined && { testedAt: tested }) }, out),
    )
  examples(
    issue,
    'geotrace codes issue --count 20 --days 2 --label "laboratory 3"',
    'geotrace codes issue --onset 2026-11-18 --qr',
  )
  const list = controlOptions(command.command('list'))
    .description('list the batches of codes: how many are open, spent, expired and revoked')
    .option(...csv)
    .action((options: CodesOptions) => listBatches(options, out))
  examples(list, 'geotrace codes list', 'geotrace codes list --csv > codes.csv')
  const status = controlOptions(command.command('status'))
    .description('show what became of a code; the command asks for the code or reads it from a pipe')
    .action((options: CodesOptions) => showCode(options, out))
  examples(status, 'geotrace codes status')
  const revoke = controlOptions(command.command('revoke'))
    .description(
      'cancel a code that is not spent, or all of a batch; the command asks for the code or reads it from a pipe',
    )
    .option('--batch <batch>', 'cancel all open codes of this batch instead')
    .option('--yes', 'cancel a batch without a question')
    .action((options: RevokeOptions) => revokeCodes(options, out))
  examples(revoke, 'geotrace codes revoke', 'geotrace codes revoke --batch 3f9a1c04d2')
}

async function issueCodes({ dir, as, qr, csv, ...order }: IssueOptions, out: Output): Promise<void> {
  const control = { dir, ...(as !== undefined && { as }) }
  const to = await toControl(control)
  const { default: encodeQR } = qr ? await import('qr') : { default: undefined }
  const issued = (await adminRequest(to, 'POST', '/codes', order)) as IssuedCodes
  out.json(issued)
  if (csv) {
    const { batch, expiresAt, codes } = issued
    const rows = codes.map((code) => [code, batch, order.label ?? '', new Date(expiresAt).toISOString()])
    for (const line of csvLines([['code', 'batch', 'label', 'expires'], ...rows])) out.line(line)
    return
  }
  for (const code of issued.codes) {
    out.line(code)
    if (encodeQR !== undefined) out.line(encodeQR(code, 'term'))
  }
  out.note(`Batch ${issued.batch}, valid until ${minute(issued.expiresAt)}.`)
}

async function listBatches({ csv, ...control }: CodesOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const reply = (await adminRequest(to, 'GET', '/codes')) as { batches: CodeBatch[] }
  out.json(reply)
  for (const line of csv ? batchCsv(reply.batches) : batchLines(reply.batches)) out.line(line)
}

const COUNTS = ['open', 'spent', 'expired', 'revoked'] as const

export function batchLines(batches: readonly CodeBatch[]): string[] {
  if (batches.length === 0) return ['No code yet.']
  const rows = batches.map((batch) => [
    batch.batch,
    minute(batch.issuedAt),
    minute(batch.expiresAt),
    ...COUNTS.map((name) => `${batch[name]}`),
    batch.worker ?? '',
    batch.label ?? '',
  ])
  return toTable([['batch', 'issued', 'expires', ...COUNTS, 'by', 'label'], ...rows])
}

function batchCsv(batches: readonly CodeBatch[]): string[] {
  const rows = batches.map((batch) => [
    batch.batch,
    new Date(batch.issuedAt).toISOString(),
    new Date(batch.expiresAt).toISOString(),
    ...COUNTS.map((name) => `${batch[name]}`),
    batch.worker ?? '',
    batch.label ?? '',
  ])
  return csvLines([['batch', 'issued', 'expires', ...COUNTS, 'by', 'label'], ...rows])
}

async function showCode(control: CodesOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const code = await readReportCode(out)
  const status = (await adminRequest(to, 'POST', '/codes/status', { code })) as CodeStatus
  out.json(status)
  for (const line of codeLines(status)) out.line(line)
}

export function codeLines(status: CodeStatus): string[] {
  const { state, issuedAt, expiresAt, batch, label, worker, from, until, testedAt, report } = status
  const rows: [string, string | undefined][] = [
    ['state', state],
    ['report', report === undefined ? undefined : `${report}`],
    ['batch', batch],
    ['label', label],
    ['issued by', worker],
    ['issued', minute(issuedAt)],
    ['expires', minute(expiresAt)],
    ['infectious from', from === undefined ? undefined : minute(from)],
    ['infectious until', until === undefined ? undefined : minute(until)],
    ['tested', testedAt === undefined ? undefined : new Date(testedAt).toISOString().slice(0, 10)],
  ]
  return toTable(rows.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

async function revokeCodes({ batch, yes = false, ...control }: RevokeOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  if (batch === undefined) {
    await adminRequest(to, 'POST', '/codes/revoke', { code: await readReportCode(out) })
    out.json({ revoked: 1 })
    out.line('The code is revoked and no longer authorises a report.')
    return
  }
  await confirm(`Revoke all open codes of batch ${batch}?`, yes, out)
  const { revoked } = (await adminRequest(to, 'POST', '/codes/revoke-batch', { batch })) as { revoked: number }
  out.json({ batch, revoked })
  out.line(`${plural(revoked, 'code')} of batch ${batch} ${revoked === 1 ? 'is' : 'are'} revoked.`)
}
