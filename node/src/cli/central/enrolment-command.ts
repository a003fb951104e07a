/** `geotrace central enrolment issue | revoke | key`: who gets tokens, and the issuer's key. node/CENTRAL.md "Tokens". */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { ENROLMENT_CODES_MAX, ENROLMENT_DAYS_MAX, type EnrolmentCodes } from '../../central/enrolment/enrolments.ts'
import { examples, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { readReportCode } from '../terminal/report-code.ts'
import { minute } from '../terminal/times.ts'
import { type ControlOptions, controlOptions, toControl } from './control.ts'

interface IssueOptions extends ControlOptions {
  count: number
  days: number
  qr?: boolean
}

export function enrolmentCommand(command: Command, out: Output): void {
  command.description('enrol devices for tokens, by which the quota of salts is a device and not an address')
  const issue = controlOptions(command.command('issue'))
    .description('issue codes; each enrols one device and is shown once')
    .option('--count <n>', 'number of codes', wholeNumber(1, ENROLMENT_CODES_MAX), 1)
    .option('--days <days>', 'days until the codes expire', wholeNumber(1, ENROLMENT_DAYS_MAX), 30)
    .option('--qr', 'print each code also as a QR code for the camera of the app')
    .action((options: IssueOptions) => issueCodes(options, out))
  examples(issue, 'geotrace central enrolment issue --count 20 --qr')
  const revoke = controlOptions(command.command('revoke'))
    .description('cancel a code that enrolled nobody; the command asks for the code or reads it from a pipe')
    .action((options: ControlOptions) => revokeCode(options, out))
  examples(revoke, 'geotrace central enrolment revoke')
  const key = controlOptions(command.command('key'))
    .description('draw a key of the issuer, which the operators then put into a roster')
    .action((options: ControlOptions) => drawKey(options, out))
  examples(key, 'geotrace central enrolment key')
}

async function issueCodes({ count, days, qr = false, ...control }: IssueOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const { default: encodeQR } = qr ? await import('qr') : { default: undefined }
  const issued = (await adminRequest(to, 'POST', '/enrolment/codes', { count, days })) as EnrolmentCodes
  out.json(issued)
  for (const code of issued.codes) {
    out.line(code)
    if (encodeQR !== undefined) out.line(encodeQR(code, 'term'))
  }
  out.note(`Valid until ${minute(issued.expiresAt)}. Give each code to one person; note nowhere who got which.`)
}

async function revokeCode(control: ControlOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  await adminRequest(to, 'POST', '/enrolment/revoke', { code: await readReportCode(out) })
  out.json({ revoked: 1 })
  out.line('The code is revoked and enrols no device.')
}

async function drawKey(control: ControlOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const drawn = (await adminRequest(to, 'POST', '/enrolment/key')) as { key: string }
  out.json(drawn)
  out.line(drawn.key)
  out.note(
    'Propose it with `geotrace federation propose amend --tokens 4,KEY`. Until a roster names it, nothing changes.',
  )
}
