/** The routes of the central peer's control server. node/CENTRAL.md "Control". Throws COMMAND_INVALID. */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { AdminRoutes } from '../../admin/server.ts'
import type { CodeOrder } from '../../central/codes/order.ts'
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
    'GET /codes': async () => ({ batches: await peer.codeBatches() }),
    'POST /codes': (body) => peer.issueCodes((body ?? {}) as Partial<CodeOrder>),
    'POST /codes/status': (body) => peer.codeStatus(readText(body, 'code')),
    'POST /codes/revoke': (body) => peer.revokeCode(readText(body, 'code')),
    'POST /codes/revoke-batch': async (body) => ({ revoked: await peer.revokeBatch(readText(body, 'batch')) }),
    'POST /reports/publish': (body) => peer.review(readNumber(body, 'report'), 'publish'),
    'POST /reports/reject': (body) => peer.review(readNumber(body, 'report'), 'reject'),
    'POST /reports/retract': (body) => peer.review(readNumber(body, 'report'), 'retract'),
    'POST /reports/restore': (body) => peer.review(readNumber(body, 'report'), 'restore'),
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
