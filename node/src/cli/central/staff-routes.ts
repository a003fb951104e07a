/** The routes about the staff of the authority: accounts and the audit log. node/CENTRAL.md "Control". Throws COMMAND_INVALID. */
import { FederationError } from '@geotrace/core-wasm/wire'
import { readAuditLog } from '../../admin/audit-log.ts'
import type { AdminRoutes } from '../../admin/server.ts'
import type { Accounts } from '../../admin/staff/accounts.ts'

/** Lines of the log in a reply, the newest. `geotrace central audit` reads all of them. */
const LINES_MAX = 500

export function staffRoutes(dir: string, accounts: Accounts): AdminRoutes {
  return {
    'GET /accounts': async () => ({ accounts: await accounts.list() }),
    'POST /accounts': (body) => accounts.add(body),
    'POST /accounts/revoke': (body) => {
      const name = (body as { name?: unknown } | undefined)?.name
      if (typeof name === 'string') return accounts.revoke(name)
      const reason = '"name" expected text'
      throw new FederationError('COMMAND_INVALID', reason, { reason })
    },
    'GET /audit': async () => {
      const { lines, head, broken } = await readAuditLog(dir)
      return { lines: lines.slice(-LINES_MAX), count: lines.length, head, broken }
    },
  }
}
