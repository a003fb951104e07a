/** The routes of the central peer's control server. node/CENTRAL.md "Control". Throws COMMAND_INVALID. */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { AdminRoutes } from '../../admin/server.ts'
import { type Caller, ownerOf } from '../../admin/staff/roles.ts'
import type { Worker } from '../../central/codes/batches.ts'
import type { CodeOrder } from '../../central/codes/order.ts'
import type { CentralPeer } from '../../central/peer.ts'
import type { ReportOutcome } from '../../central/peer-status.ts'
import { isReason } from '../../central/review/report-review.ts'
import { toCode } from '../../platform/disk-error.ts'
import { VERSION } from '../terminal/version.ts'
import { backupRoutes } from './store/backup-routes.ts'

/** GET routes only read. */
export function centralRoutes(peer: CentralPeer, federationId: string, salting: string): AdminRoutes {
  return {
    'GET /status': async () => ({
      // The status lists the quarantined reports that the condition only counts.
      ...(await peer.condition()),
      ...peer.status(),
      federationId,
      salting,
      version: VERSION,
      ...(await statistics(peer)),
    }),
    ...backupRoutes(peer),
    'GET /reports': async (_, caller) => ({ reports: await reportsOf(peer, ownerOf(caller, 'GET /reports')) }),
    'GET /codes': async (_, caller) => ({ batches: await peer.codeBatches(ownerOf(caller, 'GET /codes')) }),
    'POST /codes': (body, caller) => peer.issueCodes((body ?? {}) as Partial<CodeOrder>, callerToWorker(caller)),
    'POST /codes/status': (body) => peer.codeStatus(readText(body, 'code')),
    'POST /codes/revoke': (body) => peer.revokeCode(readText(body, 'code')),
    'POST /codes/revoke-batch': async (body, caller) => ({
      revoked: await peer.revokeBatch(readText(body, 'batch'), ownerOf(caller, 'POST /codes/revoke-batch')),
    }),
    'POST /enrolment/codes': (body) => peer.issueEnrolmentCodes((body ?? {}) as { count?: unknown; days?: unknown }),
    'POST /enrolment/revoke': async (body) => ({ revoked: await peer.revokeEnrolmentCode(readText(body, 'code')) }),
    'POST /enrolment/revoke-batch': (body) => peer.revokeEnrolmentBatch(readText(body, 'batch')),
    'POST /enrolment/key': async () => ({ keys: await peer.drawIssuerKeys() }),
    'POST /reports/publish': (body) => peer.review(readNumber(body, 'report'), 'publish'),
    'POST /reports/reject': (body) => peer.review(readNumber(body, 'report'), 'reject', readReason(body)),
    'POST /reports/retract': async (body, caller) => {
      const report = readNumber(body, 'report')
      const own = ownerOf(caller, 'POST /reports/retract')
      if (own !== undefined && !(await reportsOf(peer, own)).some(({ id }) => id === report))
        throw new FederationError('REPORT_UNKNOWN', `no report ${report} came with a code of ${own}`, { report })
      await peer.review(report, 'retract', readReason(body))
    },
    'POST /reports/restore': (body) => peer.review(readNumber(body, 'report'), 'restore'),
    'POST /dry-run': (body) => {
      const degrees = readField(body, 'degrees')
      const report = readNumber(body, 'report')
      return peer.dryRun(degrees === undefined ? { report } : { report, degrees: readNumber(body, 'degrees') })
    },
  }
}

function callerToWorker({ name, codesPerDay }: Caller): Worker {
  return { name, ...(codesPerDay !== undefined && { perDay: codesPerDay }) }
}

/** The reports, with `worker` only those whose code this worker ordered. */
async function reportsOf(peer: CentralPeer, worker: string | undefined): Promise<ReportOutcome[]> {
  const reports = await peer.reports()
  if (worker === undefined) return reports
  const own = new Set((await peer.codeBatches(worker)).map(({ batch }) => batch))
  return reports.filter(({ batch }) => batch !== undefined && own.has(batch))
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

/** Optional. */
function readReason(body: unknown): string | undefined {
  const value = readField(body, 'reason')
  if (value === undefined || isReason(value)) return value
  return invalidCommand('"reason" expected one line of at most 200 characters')
}

function readNumber(body: unknown, name: string): number {
  const value = readField(body, name)
  return typeof value === 'number' ? value : invalidCommand(`"${name}" expected a number`)
}

function invalidCommand(reason: string): never {
  throw new FederationError('COMMAND_INVALID', reason, { reason })
}
