/**
 * `geotrace central audit`: shows the actions of the operator and checks their chain. node/CENTRAL.md "Audit".
 * Exit code 1 when a line was changed, removed or inserted. The peer may run.
 */
import type { Command } from 'commander'
import { type AuditDetails, type AuditLine, type Describe, readAuditLog } from '../../admin/audit-log.ts'
import { plural } from '../../admin/page/words.ts'
import { examples, moment } from '../terminal/options.ts'
import { type Output, toTable } from '../terminal/output.ts'
import { assertRole } from '../terminal/role.ts'

interface AuditOptions {
  dir: string
  since?: number
  csv?: boolean
}

/** The details that the log keeps of each action. A code and the bytes of a change are none of them. */
export const ACTIONS: Readonly<Record<string, readonly [action: string, describe: Describe]>> = {
  'POST /codes': ['codes.issue', (body) => numbers(body, 'count', 'days', 'from')],
  'POST /codes/revoke': ['codes.revoke', () => ({})],
  'POST /retract': ['report.retract', (body) => numbers(body, 'report')],
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

async function showAudit({ dir, since = 0, csv = false }: AuditOptions, out: Output): Promise<void> {
  await assertRole(dir, 'central')
  const { lines, head, broken } = await readAuditLog(dir)
  const shown = lines.filter(({ at }) => at >= since)
  out.json({ ok: broken.length === 0, head, broken, lines: shown })
  for (const text of csv ? csvLines(shown) : tableLines(shown)) out.line(text)
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

function csvLines(lines: readonly AuditLine[]): string[] {
  const quote = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const rows = lines.map(({ at, action, details, hash }) => [
    new Date(at).toISOString(),
    action,
    JSON.stringify(details),
    hash,
  ])
  return [['at', 'action', 'details', 'hash'], ...rows].map((row) => row.map(quote).join(','))
}

function numbers(body: unknown, ...names: readonly string[]): AuditDetails {
  const given = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  return Object.fromEntries(names.flatMap((name) => (typeof given[name] === 'number' ? [[name, given[name]]] : [])))
}
