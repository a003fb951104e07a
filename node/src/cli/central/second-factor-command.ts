/**
 * `geotrace central second-factor | sign-in`: the second factor of an account of the staff. node/CENTRAL.md "Second factor".
 * Throws COMMAND_INVALID, FORBIDDEN, NODE_NOT_RUNNING.
 */
import type { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import { type AccountFile, readAccountFile, writeSession } from '../../admin/staff/account-file.ts'
import { toTotpUri } from '../../admin/staff/totp.ts'
import { assertPrivate } from '../identity/file-rights.ts'
import { ask } from '../terminal/ask.ts'
import { examples } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

interface AccountOptions {
  as: string
}

const AS = 'file of your account'

export function secondFactorCommands(command: Command, out: Output): void {
  const set = command
    .command('second-factor')
    .description('give your account a second factor: codes of an authenticator app')
    .requiredOption('--as <file>', AS)
    .action((options: AccountOptions) => setFactor(options, out))
  examples(set, 'geotrace central second-factor --as anna.json')
  const signIn = command
    .command('sign-in')
    .description('sign in with a code of your authenticator app, for ten hours')
    .requiredOption('--as <file>', AS)
    .action((options: AccountOptions) => openSession(options, out))
  examples(signIn, 'geotrace central sign-in --as anna.json')
}

async function setFactor({ as }: AccountOptions, out: Output): Promise<void> {
  const account = await readAccount(as)
  const { name, secret } = (await adminRequest(account, 'POST', '/second-factor')) as { name: string; secret: string }
  const { default: encodeQR } = await import('qr')
  out.line(encodeQR(toTotpUri(name, secret), 'term'))
  out.line(`Scan the code with an authenticator app, or type this secret into it: ${secret}`)
  await adminRequest(account, 'POST', '/second-factor/confirm', { code: await askCode(out) })
  out.json({ name, secondFactor: 'set' })
  out.line(`The account ${name} has a second factor. From now on its file alone does nothing.`)
  out.note(`Next: geotrace central sign-in --as ${as}`)
}

async function openSession({ as }: AccountOptions, out: Output): Promise<void> {
  const account = await readAccount(as)
  const body = { code: await askCode(out) }
  const { session } = (await adminRequest(account, 'POST', '/second-factor/session', body)) as { session: string }
  await writeSession(as, session)
  out.json({ name: account.name, signedIn: true })
  out.line(`${account.name} is signed in for ten hours, or until the central peer restarts.`)
}

async function readAccount(path: string): Promise<AccountFile> {
  assertPrivate(path)
  return await readAccountFile(path)
}

async function askCode(out: Output): Promise<string> {
  return (await ask('Code of the app: ', out)).replaceAll(' ', '')
}
