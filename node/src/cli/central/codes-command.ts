/** `geotrace codes issue | revoke`: report codes, issued by the running central peer. node/CENTRAL.md "Report codes". */
import { parseReportCode } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { CODE_DAYS_MAX, CODES_PER_ISSUE_MAX } from '../../central/codes.ts'
import { askSilently, isTyped, readPipedLine } from '../terminal/ask.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { defaultDir, examples, pastMoment, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'

interface IssueOptions {
  dir: string
  count: number
  days: number
  from?: number
  qr?: boolean
}

export function codesCommand(command: Command, out: Output): void {
  const issue = command
    .command('issue')
    .description('issue report codes; each authorises one report and is shown once')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .option('--count <n>', 'number of codes', wholeNumber(1, CODES_PER_ISSUE_MAX), 1)
    .option('--days <days>', 'days until the codes expire', wholeNumber(1, CODE_DAYS_MAX), 1)
    .option('--from <time>', 'start of the infectious time (default: the oldest deposit that is kept)', pastMoment)
    .option('--qr', 'print each code also as a QR code for the camera of the app')
    .action((options: IssueOptions) => issueCodes(options, out))
  examples(issue, 'geotrace codes issue --count 20 --days 2')
  const revoke = command
    .command('revoke')
    .description('cancel a code that is not spent; the command asks for the code or reads it from a pipe')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .action((options: { dir: string }) => revokeCode(options, out))
  examples(revoke, 'geotrace codes revoke')
}

async function issueCodes({ dir, count, days, from, qr }: IssueOptions, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const { default: encodeQR } = qr ? await import('qr') : { default: undefined }
  const reply = (await adminRequest(dir, 'POST', '/codes', { count, days, ...(from !== undefined && { from }) })) as {
    codes: string[]
  }
  out.json(reply)
  for (const code of reply.codes) {
    out.line(code)
    if (encodeQR !== undefined) out.line(encodeQR(code, 'term'))
  }
}

/** The code is no argument, because every user of the machine can read the arguments of a process. */
async function revokeCode({ dir }: { dir: string }, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const code = (isTyped() ? await askSilently('Report code: ', out) : await readPipedLine()).trim()
  if (!isReportCode(code)) invalidCommand('expected a code such as 7K3D-9QWX-0A1B-2C3D', 'type the code again')
  await adminRequest(dir, 'POST', '/codes/revoke', { code })
  out.json({ revoked: true })
  out.line('The code is revoked and no longer authorises a report.')
}

function isReportCode(text: string): boolean {
  try {
    parseReportCode(text)
    return true
  } catch {
    return false
  }
}
