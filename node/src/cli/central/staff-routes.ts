/**
 * The routes about the authority's own house: accounts, the audit log and profiles. node/CENTRAL.md "Control".
 * Throws COMMAND_INVALID, STORAGE_CORRUPT.
 */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { CheckedLog } from '../../admin/audit-log.ts'
import type { AdminRoutes } from '../../admin/server.ts'
import type { Accounts } from '../../admin/staff/accounts.ts'
import { appendProfile, readProfiles } from '../../central/profiles/versions.ts'

/** Lines of the log in a reply, the newest. `geotrace central audit` reads all of them. */
const LINES_MAX = 500

/** `key` is that of the central peer, which signs profiles. */
export function staffRoutes(
  dir: string,
  key: Uint8Array,
  accounts: Accounts,
  readAudit: () => Promise<CheckedLog>,
): AdminRoutes {
  return {
    'GET /accounts': async () => ({ accounts: await accounts.list() }),
    'POST /accounts': (body) => accounts.add(body),
    'POST /accounts/revoke': (body) => accounts.revoke(readText(body, 'name')),
    'POST /accounts/reset-factor': (body) => accounts.resetFactor(readText(body, 'name')),
    'POST /second-factor': async (_, { name }) => ({ name, secret: await accounts.beginFactor(name) }),
    'POST /second-factor/confirm': (body, { name }) => accounts.takeCode(name, readText(body, 'code')),
    'GET /profiles': async () => ({ versions: await readProfiles(dir, key) }),
    'POST /profiles': async (body) => ({ version: (await appendProfile(dir, key, body)).version }),
    'GET /audit': async () => {
      const { lines, head, broken } = await readAudit()
      return { lines: lines.slice(-LINES_MAX), count: lines.length, head, broken }
    },
  }
}

function readText(body: unknown, field: string): string {
  const value = (body as Record<string, unknown> | undefined)?.[field]
  if (typeof value === 'string') return value
  const reason = `"${field}" expected text`
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
