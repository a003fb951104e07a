/** `geotrace status`: the state of a running node as text, JSON or a web page. node/README.md "Operating". */
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { readAdminFile } from '../admin/admin-file.ts'
import { adminRequest } from '../admin/client.ts'
import type { NodeStatus } from '../admin/node-status.ts'
import { grouped, mebibytes, offset, span } from '../admin/page/words.ts'
import { defaultDir, examples, invalid } from './terminal/options.ts'
import { type Output, table } from './terminal/output.ts'

interface StatusOptions {
  dir?: string
  json?: boolean
  page?: boolean
}

export function statusCommand(out: Output): Command {
  const command = new Command('status')
    .description('state and counters of a node on this machine')
    .option('--dir <dir>', 'its directory (default: the salt node’s, else the central peer’s)')
    .option('--page', 'print a link to the status page; it opens once')
    .option('--json', 'one JSON object')
    .action((options: StatusOptions) => showStatus(options, out))
  return examples(command, 'geotrace status', 'geotrace status --page', 'geotrace status --json | jq .health')
}

async function showStatus({ dir = present(), json, page }: StatusOptions, out: Output): Promise<void> {
  if (page) return await showPage(dir, out)
  const status = (await adminRequest(dir, 'GET', '/status')) as Record<string, unknown>
  if (json) out.json(status)
  else for (const line of isReport(status) ? statusLines(status) : table(fields(status))) out.line(line)
}

async function showPage(dir: string, out: Output): Promise<void> {
  const status = (await adminRequest(dir, 'GET', '/status')) as Record<string, unknown>
  if (!isReport(status)) invalid('the central peer has no status page; leave --page out')
  const { code } = (await adminRequest(dir, 'POST', '/login')) as { code: string }
  const { port } = (await readAdminFile(dir))!
  out.line(`http://127.0.0.1:${port}/#${code}`)
  out.note('The link opens once, on this machine, and shows only.')
  out.note(`From another one first: ssh -L ${port}:127.0.0.1:${port} THIS-MACHINE`)
}

/** The status of a salt node as a table, and below the table its warnings with the next steps. */
export function statusLines(report: NodeStatus): string[] {
  const { roster, shards, reach, network, refused, memoryBytes, memoryMaxBytes, nowMs, hints, core } = report
  const missing = shards.filter(({ held }) => !held).map(({ shard }) => shard)
  const held = shards.filter((item) => item.held).map(({ shard }) => shard)
  const turned = Object.entries(refused).map(([code, count]) => `${code} ${grouped(count)}`)
  const rows: [string, string][] = [
    ['state', `${report.health}, up for ${span(report.uptimeMs)}`],
    ['node', `${report.node} of ${report.federation}`],
    ['peer id', report.peerId],
    [
      'roster',
      roster === undefined
        ? 'none is certified yet'
        : `${roster.height} (${roster.name}), ${beginWords(roster, nowMs)}, ${periodWords(roster, nowMs)}`,
    ],
    ['vote', report.votes ? 'here' : 'not here'],
    [
      'shards',
      `${held.length === 0 ? 'none' : held.join(', ')} of ${report.shardCount}${missing.length === 0 ? '' : `; seed missing: ${missing.join(', ')}`}`,
    ],
    [
      'peers',
      reach === undefined
        ? 'not asked yet'
        : `${reach.answered} of ${reach.asked} answered ${span(nowMs - reach.atMs)} ago`,
    ],
    ['clock', `${offset(report.clockOffsetMs)} against them`],
    ['requests', `${grouped(report.answered)} answered since the start, ${network.inFlight} under way`],
    ['refused', turned.length === 0 ? 'none' : turned.join(', ')],
    [
      'connections',
      `${network.connections} of ${report.connectionsMax}${network.waiting === 0 ? '' : `, ${grouped(network.waiting)} at the door`}`,
    ],
    ['memory', `${mebibytes(memoryBytes)} of ${mebibytes(memoryMaxBytes)}`],
    ['version', `${report.version}, core ${core.sha256.slice(0, 16)} ${core.pinned ? 'pinned' : 'NOT pinned'}`],
  ]
  return [...table(rows), ...hints.flatMap(({ level, what, next }) => ['', `${level}: ${what}`, `  → ${next}`])]
}

function beginWords({ fromMs }: NonNullable<NodeStatus['roster']>, nowMs: number): string {
  return nowMs < fromMs ? `begins in ${span(fromMs - nowMs)}` : `began ${span(nowMs - fromMs)} ago`
}

function periodWords({ untilMs, reserveUntilMs }: NonNullable<NodeStatus['roster']>, nowMs: number): string {
  if (nowMs < untilMs) return `its period ends in ${span(untilMs - nowMs)}`
  return nowMs < reserveUntilMs ? `on reserve for ${span(reserveUntilMs - nowMs)} more` : 'has run out'
}

/** The default directory of the salt node if it exists, otherwise that of the central peer. */
function present(): string {
  const salt = defaultDir('salt')
  return existsSync(salt) ? salt : defaultDir('central')
}

function isReport(status: object): status is NodeStatus {
  return 'health' in status
}

function fields(status: Record<string, unknown>): [string, string][] {
  return Object.entries(status).map(([key, value]) => [
    key,
    typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value),
  ])
}
