/** `geotrace status`: the state of a running node as text, JSON or a web page. node/README.md "Operating". */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { readAdminFile } from '../admin/admin-file.ts'
import { adminRequest } from '../admin/client.ts'
import type { NodeStatus } from '../admin/node-status.ts'
import { grouped, mebibytes, offset, span } from '../admin/page/words.ts'
import { defaultDir, examples } from './terminal/options.ts'
import { type Output, toTable } from './terminal/output.ts'
import { assertRole } from './terminal/role.ts'

interface StatusOptions {
  dir?: string
  page?: boolean
}

export function statusCommand(command: Command, out: Output): void {
  command
    .option('--dir <dir>', 'directory of the node (default: that of the salt node, otherwise of the central peer)')
    .option('--page', 'print a link to the status page; the link works once')
    .action((options: StatusOptions) => showStatus(options, out))
  examples(command, 'geotrace status', 'geotrace status --page', 'geotrace status --json | jq .health')
}

async function showStatus({ dir = present(), page }: StatusOptions, out: Output): Promise<void> {
  if (page) return await showPage(dir, out)
  const status = (await adminRequest(dir, 'GET', '/status')) as Record<string, unknown>
  out.json(status)
  for (const line of isSaltStatus(status) ? statusLines(status) : centralLines(status)) out.line(line)
}

async function showPage(dir: string, out: Output): Promise<void> {
  await assertRole(dir, 'salt')
  const { code } = (await adminRequest(dir, 'POST', '/login')) as { code: string }
  const { port } = (await readAdminFile(dir))!
  const url = `http://127.0.0.1:${port}/#${code}`
  out.json({ url })
  out.line(url)
  out.note('The link works once, on this machine only, and is read-only.')
  out.note(`To open it on another machine, first run there: ssh -L ${port}:127.0.0.1:${port} THIS-MACHINE`)
}

/** The status of a salt node as a table, and below the table its warnings with the next steps. */
export function statusLines(status: NodeStatus): string[] {
  const hints = status.hints.flatMap(({ level, what, next }) => ['', `${level}: ${what}`, `  → ${next}`])
  return [...toTable([...membershipRows(status), ...serviceRows(status)]), ...hints]
}

function membershipRows(status: NodeStatus): [string, string][] {
  const { roster, shards, reach, nowMs } = status
  const missing = shards.filter(({ held }) => !held).map(({ shard }) => shard)
  const held = shards.filter((item) => item.held).map(({ shard }) => shard)
  return [
    ['state', `${status.health}, up for ${span(status.uptimeMs)}`],
    ['node', `${status.node} of ${status.federation}`],
    ['peer id', status.peerId],
    [
      'roster',
      roster === undefined
        ? 'none is certified yet'
        : `${roster.height} (${roster.name}), ${beginWords(roster, nowMs)}, ${periodWords(roster, nowMs)}`,
    ],
    ['vote', status.votes ? 'this node votes' : 'this node does not vote'],
    [
      'shards',
      roster === undefined
        ? 'none yet'
        : `${held.length === 0 ? 'none' : held.join(', ')} of ${status.shardCount}${missing.length === 0 ? '' : `; seeds missing: ${missing.join(', ')}`}`,
    ],
    [
      'peers',
      reach === undefined
        ? 'not checked yet'
        : `${reach.answered} of ${reach.asked} answered ${span(nowMs - reach.atMs)} ago`,
    ],
    ['clock', `${offset(status.clockOffsetMs)} from the median of the peers`],
  ]
}

function serviceRows({ answered, refused, network, core, ...status }: NodeStatus): [string, string][] {
  const counts = Object.entries(refused).map(([code, count]) => `${code} ${grouped(count)}`)
  const waiting = network.waiting === 0 ? '' : `, ${grouped(network.waiting)} waiting`
  return [
    ['requests', `${grouped(answered)} answered since the start, ${network.inFlight} in progress`],
    ['refused', counts.length === 0 ? 'none' : counts.join(', ')],
    ['connections', `${network.connections} of ${status.connectionsMax}${waiting}`],
    ['memory', `${mebibytes(status.memoryBytes)} of ${mebibytes(status.memoryMaxBytes)}`],
    [
      'version',
      `${status.version}, core ${core.sha256.slice(0, 16)} ${core.pinned ? 'as the federation pins it' : 'differs from the one that the federation pins'}`,
    ],
  ]
}

function beginWords({ fromMs }: NonNullable<NodeStatus['roster']>, nowMs: number): string {
  return nowMs < fromMs ? `begins in ${span(fromMs - nowMs)}` : `began ${span(nowMs - fromMs)} ago`
}

function periodWords({ untilMs, reserveUntilMs }: NonNullable<NodeStatus['roster']>, nowMs: number): string {
  if (nowMs < untilMs) return `its period ends in ${span(untilMs - nowMs)}`
  return nowMs < reserveUntilMs ? `its reserve ends in ${span(reserveUntilMs - nowMs)}` : 'expired'
}

/** The default directory of the salt node, or that of the central peer when only that one exists. */
function present(): string {
  const [salt, central] = [defaultDir('salt'), defaultDir('central')]
  return existsSync(central) && !existsSync(salt) ? central : salt
}

function isSaltStatus(status: object): status is NodeStatus {
  return 'shards' in status
}

/** The status of the central peer as a table: `groupsRefused` becomes `groups refused`, an object `open 3, spent 1`. */
export function centralLines(status: Record<string, unknown>): string[] {
  return toTable(Object.entries(status).map(([name, value]) => [nameToWords(name), valueToText(value)]))
}

function nameToWords(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

function valueToText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueToText).join('; ')
  if (typeof value !== 'object' || value === null) return String(value)
  const fields = Object.entries(value).filter(([, field]) => field !== undefined)
  return fields.map(([name, field]) => `${nameToWords(name)} ${valueToText(field)}`).join(', ')
}
