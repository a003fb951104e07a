/** `geotrace codes issue | revoke`: report codes, issued by the running central peer. node/CENTRAL.md "Report codes". */
import { Command } from 'commander'
import encodeQR from 'qr'
import { adminRequest } from '../../admin/client.ts'
import { defaultDir, examples, moment, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

interface IssueOptions {
  dir: string
  count: number
  days: number
  from?: number
  json?: boolean
  qr?: boolean
}

export function codesCommand(out: Output): Command {
  const issue = new Command('issue')
    .description('issue report codes; each authorises one report and is shown once')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .option('--count <n>', 'number of codes', wholeNumber, 1)
    .option('--days <days>', 'days until the codes expire', wholeNumber, 1)
    .option('--from <time>', 'start of the infectious time (default: the oldest deposit that is kept)', moment)
    .option('--qr', 'print each code also as a QR code for the camera of the app')
    .option('--json', 'print one JSON object')
    .action((options: IssueOptions) => issueCodes(options, out))
  const revoke = new Command('revoke')
    .description('cancel a code that is not spent')
    .argument('<code>', 'XXXX-XXXX-XXXX-XXXX')
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .action(async (code: string, { dir }: { dir: string }) => {
      await adminRequest(dir, 'POST', '/codes/revoke', { code })
      out.line('The code is revoked and no longer authorises a report.')
    })
  return new Command('codes')
    .description('issue and revoke report codes as the authority')
    .addCommand(examples(issue, 'geotrace codes issue --count 20 --days 2'))
    .addCommand(examples(revoke, 'geotrace codes revoke 7QK2-M9XA-44TD-0WZE'))
}

async function issueCodes({ dir, count, days, from, json, qr }: IssueOptions, out: Output): Promise<void> {
  const reply = (await adminRequest(dir, 'POST', '/codes', { count, days, ...(from !== undefined && { from }) })) as {
    codes: string[]
  }
  if (json) return out.json(reply)
  for (const code of reply.codes) {
    out.line(code)
    if (qr) out.line(encodeQR(code, 'term'))
  }
}
