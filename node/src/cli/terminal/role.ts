/** Checks that a command meets the role it is for: salt node or central peer. Throws COMMAND_INVALID. */
import { readAdminFile, roleOnDisk } from '../../admin/admin-file.ts'
import { invalidCommand } from './invalid-command.ts'

const NAMES = { salt: 'a salt node', central: 'the central peer', demo: 'a demo' } as const
const NEXT = {
  salt: 'name the directory of a salt node with --dir; for the central peer see `geotrace central --help`',
  central: 'name the directory of the central peer with --dir; for a salt node see `geotrace salt --help`',
} as const

/** `dir` may be empty or its process may not run: the next request reports that. */
export async function assertRole(dir: string, wanted: 'salt' | 'central'): Promise<void> {
  const role = (await readAdminFile(dir))?.role ?? roleOnDisk(dir)
  if (role !== undefined && role !== wanted)
    invalidCommand(
      `the command expected the directory of ${NAMES[wanted]}, and ${dir} is that of ${NAMES[role]}`,
      NEXT[wanted],
    )
}
