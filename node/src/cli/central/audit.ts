/**
 * `geotrace central audit`: shows the actions of the operator and checks their chain. node/CENTRAL.md "Audit".
 * Exit code 1 when a line was changed, removed or inserted. The peer may run.
 */
import type { Command } from 'commander'
import {
  type AuditDetails,
  type AuditLine,
  type CheckedLog,
  type Describe,
  readAuditLog,
} from '../../admin/audit-log.ts'
import { plural } from '../../admin/page/words.ts'
import { readSharedAuditLog } from '../../admin/shared-audit-log.ts'
import { isReason } from '../../central/review/report-review.ts'
import { csvLines } from '../terminal/csv.ts'
import { examples, moment } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'
import type { StoreOptions } from './store/store-place.ts'

interface AuditOptions extends StoreOptions {
  since?: number
  csv?: boolean
}

/** The details that the log keeps of each action. A code and the bytes of a change are none of them. */
export const ACTIONS: Readonly<Record<string, readonly [action: string, describe: Describe]>> = {
  'POST /codes': ['codes.issue', (body) => numbers(body, 'count', 'days')],
  'POST /codes/revoke': ['codes.revoke', () => ({})],
  'POST /codes/revoke-batch': ['codes.revoke.batch', (body) => name(body, 'batch', /^[0-9a-f]{10}$/)],
  'POST /enrolment/codes': ['enrolment.issue', (body) => numbers(body, 'count', 'days')],
  'POST /enrolment/revoke': ['enrolment.revoke', () => ({})],
  'POST /enrolment/revoke-batch': ['enrolment.revoke.batch', (body) => name(body, 'batch', /^[0-9a-f]{10}$/)],
  'POST /enrolment/key': ['enrolment.key', () => ({})],
  'POST /reports/publish': ['report.publish', (body) => numbers(body, 'report')],
  'POST /reports/reject': ['report.reject', withReason],
  'POST /reports/retract': ['report.retract', withReason],
  'POST /reports/restore': ['report.restore', (body) => numbers(body, 'report')],
  'POST /accounts': ['account.add', (body) => name(body, 'name', /^[a-z][a-z0-9-]{0,31}$/)],
  'POST /accounts/revoke': ['account.revoke', (body) => name(body, 'name', /^[a-z][a-z0-9-]{0,31}$/)],
  'POST /accounts/reset-factor': ['account.reset.factor', (body) => name(body, 'name', /^[a-z][a-z0-9-]{0,31}$/)],
  'POST /second-factor': ['factor.begin', () => ({})],
  'POST /second-factor/confirm': ['factor.confirm', () => ({})],
  'POST /second-factor/session': ['factor.session', () => ({})],
  'POST /profiles': ['profile.set', (body) => numbers(body, 'version')],
  'POST /login': ['staff.login', () => ({})],
  'POST /dry-run': ['report.try', (body) => numbers(body, 'report', 'degrees')],
  'POST /backup': ['store.backup', () => ({})],
  'POST /changes': ['federation.submit', () => ({})],
  'POST /changes/endorse': ['federation.endorse', () => ({})],
}

export function auditCommand(command: Command, out: Output): void {
  command
    .description('show what the operator of the central peer did, and check that no line was changed')
    .option('--since <time>', 'only actions from this time on', moment)
    .option('--csv', 'print lines of comma-separated values')
    .action((options: AuditOptions) => showAudit(options, out))
  examples(command, 'geotrace central audit', 'geotrace central audit --since 2026-11-01T00:00:00Z --csv')
}

/** All processes of a store on servers have one log in it. */
async function readLog(place: StoreOptions): Promise<CheckedLog> {
  if (place.store === undefined) return await readAuditLog(place.dir)
  const { withStore } = await import('./store/backup-command.ts')
  return await withStore(place, readSharedAuditLog)
}

async function showAudit({ since = 0, csv = false, ...place }: AuditOptions, out: Output): Promise<void> {
  await assertRole(place.dir, 'central')
  const { lines, head, broken } = await readLog(place)
  const shown = lines.filter(({ at }) => at >= since)
  out.json({ ok: broken.length === 0, head, broken, lines: shown })
  for (const text of csv ? csvLines([COLUMNS, ...shown.map(toCells)]) : tableLines(shown)) out.line(text)
  for (const number of broken) out.note(`Line ${number} does not follow from the line before: the log was changed.`)
  out.note(`${plural(lines.length, 'action')}. Head: ${head}`)
  out.note('Note the head elsewhere: lines that are cut off at the end show only by it.')
  if (broken.length > 0) out.fails()
}

function tableLines(lines: readonly AuditLine[]): string[] {
  const rows = lines.map(({ at, action, details }) => [
    new Date(at).toISOString(),
    action,
    Object.entries(details)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
  ])
  return rows.length === 0 ? ['No action yet.'] : toTable(rows)
}

const COLUMNS = ['at', 'action', 'details', 'hash']

function toCells({ at, action, details, hash }: AuditLine): string[] {
  return [new Date(at).toISOString(), action, JSON.stringify(details), hash]
}

/** A text of the body, if it has the form of a name that this peer gives. */
function name(body: unknown, field: string, form: RegExp): AuditDetails {
  const value = (body as Record<string, unknown> | undefined)?.[field]
  return typeof value === 'string' && form.test(value) ? { [field]: value } : {}
}

/** The operator writes the reason, and the command says that it must name no person. */
function withReason(body: unknown): AuditDetails {
  const { reason } = (body ?? {}) as Record<string, unknown>
  return { ...numbers(body, 'report'), ...(isReason(reason) && { reason }) }
}

function numbers(body: unknown, ...names: readonly string[]): AuditDetails {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  return Object.fromEntries(names.flatMap((name) => (typeof given[name] === 'number' ? [[name, given[name]]] : [])))
}
