/** The control server that a command of the authority speaks to: that of a directory, or that of an account. node/CENTRAL.md. */
import type { Command } from 'commander'
import { type AccountControl, adminRequest } from '../../admin/client.ts'
import { readAccountFile, readSession } from '../../admin/staff/account-file.ts'
import { assertPrivate } from '../identity/file-rights.ts'
import { defaultDir } from '../terminal/options.ts'
import { assertRole } from '../terminal/role.ts'

export interface ControlOptions {
  dir: string
  as?: string
}

export function controlOptions(command: Command): Command {
  return command
    .option('--dir <dir>', 'directory of the central peer', defaultDir('central'))
    .option('--as <file>', 'file of your account, instead of --dir')
}

/** Throws COMMAND_INVALID, FILE_EXPOSED. */
export async function toControl({ dir, as }: ControlOptions): Promise<string | AccountControl> {
  if (as !== undefined) {
    assertPrivate(as)
    const account = await readAccountFile(as)
    const session = await readSession(as)
    return { ...account, ...(session !== undefined && (await isValid({ ...account, session })) && { session }) }
  }
  await assertRole(dir, 'central')
  return dir
}

/** A session ends after ten hours, and with the process of the peer. */
async function isValid(account: AccountControl): Promise<boolean> {
  return await adminRequest(account, 'GET', '/me').then(
    () => true,
    () => false,
  )
}
