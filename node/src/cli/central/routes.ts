/** The routes of the central peer's control server. node/CENTRAL.md "Control". Throws COMMAND_INVALID. */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { AdminRoutes } from '../../admin/server.ts'
import { assertCodeOrder } from '../../central/codes.ts'
import type { CentralPeer } from '../../central/peer.ts'
import { toCode } from '../../platform/disk-error.ts'
import { backupRoutes } from './backup-routes.ts'

/** GET routes only read. */
export function centralRoutes(peer: CentralPeer, federationId: string, salting: string): AdminRoutes {
  return {
    'GET /status': async () => ({
      ...peer.status(),
      ...(await peer.condition()),
      federationId,
      salting,
      ...(await statistics(peer)),
    }),
    ...backupRoutes(peer),
    'GET /reports': async () => ({ reports: await peer.reports() }),
    'POST /codes': async (body) => ({ codes: await peer.issueCodes(assertCodeOrder(body)) }),
    'POST /codes/revoke': (body) => peer.revokeCode(readText(body, 'code')),
    'POST /retract': (body) => peer.retract(readNumber(body, 'report')),
    'POST /dry-run': (body) => {
      const degrees = readField(body, 'degrees')
      const report = readNumber(body, 'report')
      return peer.dryRun(degrees === undefined ? { report } : { report, degrees: readNumber(body, 'degrees') })
    },
  }
}

/** A store that fails must not hide the rest of the status. */
function statistics(peer: CentralPeer): Promise<object> {
  return peer.statistics().catch((error: unknown) => ({ store: `unreadable: ${toCode(error)}` }))
}

function readField(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined
}

function readText(body: unknown, name: string): string {
  const value = readField(body, name)
  return typeof value === 'string' ? value : invalidCommand(`"${name}" expected text`)
}

function readNumber(body: unknown, name: string): number {
  const value = readField(body, name)
  return typeof value === 'number' ? value : invalidCommand(`"${name}" expected a number`)
}

function invalidCommand(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
