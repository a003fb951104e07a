/** `geotrace central accounts add | list | revoke`: the authority's staff. node/CENTRAL.md "Roles". The peer must run. */
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { readAdminFile } from '../../admin/admin-file.ts'
import { adminRequest } from '../../admin/client.ts'
import { writeAccountFile } from '../../admin/staff/account-file.ts'
import { type Account, CODES_PER_DAY_MAX } from '../../admin/staff/accounts.ts'
import { STAFF_ROLES, type StaffRole } from '../../admin/staff/roles.ts'
import { confirm } from '../terminal/confirm.ts'
import { examples, wholeNumber } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { minute } from '../terminal/times.ts'
import { type ControlOptions, controlOptions, toControl } from './control.ts'

interface AddOptions extends ControlOptions {
  role: StaffRole
  quota?: number
  needsFactor?: true
  out: string
}

export function accountsCommand(command: Command, out: Output): void {
  command.description('add, list and revoke accounts of the staff of the authority')
  const add = controlOptions(command.command('add'))
    .description('make an account and write its file, which its owner keeps')
    .argument('<name>', 'name in the audit log: a to z, 0 to 9 and -')
    .addOption(new Option('--role <role>', 'role of the account').choices(STAFF_ROLES).makeOptionMandatory())
    .requiredOption('--out <file>', 'new file for the token of the account, readable by its owner only')
    .option('--quota <codes>', 'report codes in a UTC day (default: no limit)', wholeNumber(0, CODES_PER_DAY_MAX))
    .option('--needs-factor', 'the account does nothing before its owner has set a second factor')
    .action((name: string, options: AddOptions) => addAccount(name, options, out))
  examples(add, 'geotrace central accounts add anna --role case-worker --quota 50 --out anna.json')
  const list = controlOptions(command.command('list'))
    .description('list the accounts with their roles')
    .action((options: ControlOptions) => listAccounts(options, out))
  examples(list, 'geotrace central accounts list')
  const revoke = controlOptions(command.command('revoke'))
    .description('end an account at once, with its sessions in the console')
    .argument('<name>', 'name of the account')
    .option('--yes', 'revoke without a question')
    .action((name: string, options: ControlOptions & { yes?: boolean }) => revokeAccount(name, options, out))
  examples(revoke, 'geotrace central accounts revoke anna')
  const reset = controlOptions(command.command('reset-factor'))
    .description('remove the second factor of an account whose owner lost it or is locked out')
    .argument('<name>', 'name of the account')
    .option('--yes', 'remove without a question')
    .action((name: string, options: ControlOptions & { yes?: boolean }) => resetFactor(name, options, out))
  examples(reset, 'geotrace central accounts reset-factor anna')
}

async function addAccount(name: string, { role, quota, needsFactor, out: path, ...control }: AddOptions, out: Output) {
  const to = await toControl(control)
  const order = { name, role, ...(quota !== undefined && { codesPerDay: quota }), ...(needsFactor && { needsFactor }) }
  const port = typeof to === 'string' ? (await readAdminFile(to))?.port : to.port
  const { token } = (await adminRequest(to, 'POST', '/accounts', order)) as { token: string }
  await writeAccountFile(resolve(path), { name, port: port!, token })
  out.json({ name, role, file: resolve(path) })
  out.line(`The account ${name} is a ${role}. Its token is in ${path}, and nowhere else.`)
  const first = needsFactor ? 'central second-factor' : 'codes issue'
  out.note(`Give the file to its owner, who runs for example: geotrace ${first} --as ${path}`)
  out.note('Run the central peer with --control-port, otherwise the file works until its next start.')
}

async function listAccounts(options: ControlOptions, out: Output): Promise<void> {
  const reply = (await adminRequest(await toControl(options), 'GET', '/accounts')) as { accounts: Account[] }
  out.json(reply)
  for (const line of accountLines(reply.accounts)) out.line(line)
}

function accountLines(accounts: readonly Account[]): string[] {
  if (accounts.length === 0) return ['No account yet.']
  const rows = accounts.map(({ name, role, codesPerDay, since, revokedAt, secondFactor, needsFactor }) => [
    name,
    role,
    codesPerDay === undefined ? 'no limit' : `${codesPerDay}`,
    minute(since),
    secondFactor ?? (needsFactor ? 'needed' : 'none'),
    revokedAt === undefined ? '' : minute(revokedAt),
  ])
  return toTable([['name', 'role', 'codes a day', 'since', 'second factor', 'revoked'], ...rows])
}

async function revokeAccount(
  name: string,
  { yes = false, ...control }: ControlOptions & { yes?: boolean },
  out: Output,
) {
  const to = await toControl(control)
  await confirm(`Revoke the account ${name}?`, yes, out)
  await adminRequest(to, 'POST', '/accounts/revoke', { name })
  out.json({ name, revoked: true })
  out.line(`The account ${name} is revoked. Its name is not given again.`)
}

async function resetFactor(name: string, { yes = false, ...control }: ControlOptions & { yes?: boolean }, out: Output) {
  const to = await toControl(control)
  await confirm(`Remove the second factor of ${name}?`, yes, out)
  await adminRequest(to, 'POST', '/accounts/reset-factor', { name })
  out.json({ name, secondFactor: 'none' })
  out.line(`The account ${name} has no second factor any more. Its owner sets another one.`)
}
