/** `geotrace central enrolment issue | revoke | key`: who gets tokens, and the issuer's key. node/CENTRAL.md "Tokens". */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { ENROLMENT_CODES_MAX, ENROLMENT_DAYS_MAX, type EnrolmentCodes } from '../../central/enrolment/enrolments.ts'
import { confirm } from '../terminal/confirm.ts'
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

interface RevokeOptions extends ControlOptions {
  batch?: string
  yes?: boolean
}

/** Tokens cannot be taken back. */
const LEFT =
  'A device gets no more tokens from now on. Those that it has stay good until the day that each names; other keys of the issuer end them all (`geotrace central enrolment key`).'

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
    .description(
      'cancel a code and withdraw the device that it enrolled, or a whole batch; the command asks for the code or reads it from a pipe',
    )
    .option('--batch <batch>', 'cancel all codes of this batch and withdraw their devices instead')
    .option('--yes', 'cancel a batch without a question')
    .action((options: RevokeOptions) => revokeCode(options, out))
  examples(revoke, 'geotrace central enrolment revoke', 'geotrace central enrolment revoke --batch 3f9a1c04d2')
  const key = controlOptions(command.command('key'))
    .description('draw the keys of the issuer, which the operators then put into a roster')
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
  out.note(
    `Batch ${issued.batch}, valid until ${minute(issued.expiresAt)}. Give each code to one person; note nowhere who got which.`,
  )
}

async function revokeCode({ batch, yes = false, ...control }: RevokeOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  if (batch !== undefined) {
    await confirm(`Withdraw all devices of batch ${batch}?`, yes, out)
    await adminRequest(to, 'POST', '/enrolment/revoke-batch', { batch })
    out.json({ revoked: 'batch' })
    out.line(`The codes of batch ${batch} enrol no device any more, and their devices are withdrawn.`)
    out.note(LEFT)
    return
  }
  const code = await readReportCode(out)
  const { revoked } = (await adminRequest(to, 'POST', '/enrolment/revoke', { code })) as { revoked: 'code' | 'device' }
  out.json({ revoked })
  out.line(
    revoked === 'device'
      ? 'The code is revoked, and the device that it enrolled is withdrawn.'
      : 'The code is revoked and enrols no device.',
  )
  if (revoked === 'device') out.note(LEFT)
}

async function drawKey(control: ControlOptions, out: Output): Promise<void> {
  const to = await toControl(control)
  const drawn = (await adminRequest(to, 'POST', '/enrolment/key')) as { keys: string[] }
  out.json(drawn)
  for (const key of drawn.keys) out.line(key)
  out.note(
    'The first is of evaluations, the second of relays. Propose both with `geotrace federation propose amend --tokens 4,KEY,KEY`. Until a roster names them, nothing changes.',
  )
}
