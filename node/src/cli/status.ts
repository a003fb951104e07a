/** `geotrace status`: the state of a running node as text, JSON or a web page. node/README.md "Operating". */
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { readAdminFile } from '../admin/admin-file.ts'
import { adminRequest } from '../admin/client.ts'
import {
  type AppCheck,
  missingParts,
  type NextPeriod,
  type NodeStatus,
  type ReleaseStatus,
  type RosterStatus,
} from '../admin/node-status.ts'
import { saltingText } from '../admin/page/salting-words.ts'
import { clockText, grouped, mebibytes, plural, span } from '../admin/page/words.ts'
import type { HeldReport } from '../central/risk/report-stages.ts'
import { joiningText } from './salt/joining-text.ts'
import { defaultDir, examples } from './terminal/options.ts'
import { type Output, toTable } from './terminal/output.ts'
import { assertRole } from './terminal/role.ts'
import { minute } from './terminal/times.ts'

type Evaluated = Pick<NodeStatus, 'salting' | 'evaluations' | 'evaluationsMax'>

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
  const { roster, nextRoster, joining, nowMs } = status
  return [
    ['state', `${status.health}, up for ${span(status.uptimeMs)}`],
    ['node', `${status.node} of ${status.federation}`],
    ['federation', status.federationId],
    ['peer id', status.peerId],
    ['roster', roster === undefined ? 'none is certified yet' : rosterText(roster, nowMs)],
    ...(nextRoster === undefined ? [] : ([['next roster', rosterText(nextRoster, nowMs)]] as [string, string][])),
    ...(joining === undefined ? [] : ([['joining', joiningText(joining)]] as [string, string][])),
    ['vote', status.votes ? 'this node votes' : 'this node does not vote'],
    ['shards', roster === undefined ? 'none yet' : shardText(status)],
    ...(status.nextPeriod === undefined
      ? []
      : ([['next period', nextPeriodText(status.nextPeriod)]] as [string, string][])),
    ['salting', saltingText(status.salting)],
    ['peers', reachText(status)],
    ['clock', clockText(status.clockOffsetMs)],
  ]
}

function shardText({ shards, shardCount }: NodeStatus): string {
  const numbers = (isHeld: boolean) => shards.filter(({ held }) => held === isHeld).map(({ shard }) => shard)
  const [held, missing] = [numbers(true), numbers(false)]
  const without = missing.length === 0 ? '' : `; seeds are missing for ${missing.join(', ')}`
  return `${held.length === 0 ? 'none' : held.join(', ')}; the federation has ${shardCount}${without}`
}

/** `8 of 10 parts are here; missing 2 of shard 4; needed from 2026-11-21 10:38 UTC` */
function nextPeriodText({ neededMs, parts, missing }: NextPeriod): string {
  const lacking = missing.map(({ shard, parts: count }) => `${count} of shard ${shard}`)
  const without = lacking.length === 0 ? '' : `; missing ${lacking.join(', ')}`
  return `${parts - missingParts({ missing })} of ${plural(parts, 'part')} are here${without}; needed from ${minute(neededMs)}`
}

function reachText({ reach, nowMs }: NodeStatus): string {
  if (reach === undefined) return 'not checked yet'
  const { asked, answered, strayed, atMs } = reach
  const others = strayed.length === 0 ? '' : `; of another federation: ${strayed.join(', ')}`
  return `${answered} of ${asked} answered ${span(nowMs - atMs)} ago${others}`
}

/** `rosterText` says a time in full, because a volunteer plans a stop by it. */
function rosterText(roster: RosterStatus, nowMs: number): string {
  const { height, name, fromMs, untilMs, reserveUntilMs } = roster
  const head = `${height} (${name})`
  if (nowMs < fromMs) return `${head}, begins ${minute(fromMs)}, in ${span(fromMs - nowMs)}`
  if (nowMs < untilMs) return `${head}, in force until ${minute(untilMs)}, for ${span(untilMs - nowMs)} more`
  if (nowMs >= reserveUntilMs) return `${head}, expired ${minute(reserveUntilMs)}`
  return `${head}, on its reserve until ${minute(reserveUntilMs)}, for ${span(reserveUntilMs - nowMs)} more`
}

function serviceRows({ answered, refused, network, core, ...status }: NodeStatus): [string, string][] {
  const counts = Object.entries(refused).map(([code, count]) => `${code} ${grouped(count)}`)
  const waiting = network.waiting === 0 ? '' : `, ${grouped(network.waiting)} waiting`
  return [
    ['requests', `${grouped(answered)} answered since the start, ${network.inFlight} in progress`],
    ...evaluationRows(status),
    ['refused', counts.length === 0 ? 'none' : counts.join(', ')],
    ...relayRows(status),
    ['connections', `${network.connections} of ${status.connectionsMax}${waiting}`],
    ['memory', `${mebibytes(status.memoryBytes)} of ${mebibytes(status.memoryMaxBytes)}`],
    ['disk', `${mebibytes(status.diskFreeBytes)} free`],
    [
      'version',
      `${status.version}, core ${core.sha256.slice(0, 16)} ${core.pinned ? 'as the federation pins it' : 'differs from the one that the federation pins'}`,
    ],
    ...releaseRows(status.release),
  ]
}

function releaseRows({ id, differences = 0, first, apps }: ReleaseStatus): [string, string][] {
  if (id === undefined)
    return apps.map(({ origin }) => ['app', `${origin}: not checked, no release.json in the directory`])
  const own = differences === 0 ? 'all files of this installation are those of it' : differText(differences, first)
  return [
    ['release', `${id.slice(0, 16)}, ${own}`],
    ...apps.map((check): [string, string] => ['app', `${check.origin}: ${appText(check)}`]),
  ]
}

/** The most evaluations of one shard and epoch, because they show a harvest. */
function evaluationRows({ salting, evaluations, evaluationsMax }: Evaluated): [string, string][] {
  if (salting.kind === 'plain') return []
  const [most] = evaluations
  const limit = evaluationsMax === undefined ? '' : `; the limit is ${grouped(evaluationsMax)}`
  if (most === undefined) return [['evaluations', `none yet${limit}`]]
  const { shard, fromMs, atMost } = most
  const from = minute(fromMs)
  return [['evaluations', `at most ${grouped(atMost)} for shard ${shard} and the epoch from ${from}${limit}`]]
}

/** The sealed syncs that this node passes on, and the key that seals them. */
function relayRows({ relay }: Pick<NodeStatus, 'relay'>): [string, string][] {
  if (relay === undefined) return []
  const { passed, refused, isLinked, seal, sealedUntilMs } = relay
  const link = isLinked ? 'the central peer is linked' : 'no connection to the central peer'
  return [
    ['relay', `${grouped(passed)} sealed syncs passed on, ${grouped(refused)} refused; ${link}`],
    ['seal', `${seal.slice(0, 16)}, valid at least until ${minute(sealedUntilMs)}`],
  ]
}

/** `matches the release`, `2 files differ from the release, first index.html`, `not checked yet`. */
export function appText({ atMs, differences, first, problem }: AppCheck): string {
  if (atMs === undefined) return 'not checked yet'
  const at = `, ${minute(atMs)}`
  if (differences === undefined) return `not checked: ${problem ?? 'no answer'}${at}`
  return `${differences === 0 ? 'matches the release' : differText(differences, first)}${at}`
}

function differText(count: number, first = ''): string {
  return `${plural(count, 'file differs', 'files differ')} from the release, first ${first}`
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
  const { held, ...rest } = status
  const rows = Object.entries(rest).map(([name, value]) => [nameToWords(name), valueToText(value)])
  if (!Array.isArray(held)) return toTable(rows)
  if (held.length === 0) return toTable([...rows, ['held reports', 'none']])
  const waiting = plural(held.length, 'report')
  const hint = ['', `warn: ${waiting} held until you decide`, '  → geotrace reports list']
  return [...toTable([...rows, ['held reports', `${waiting}: ${held.map(heldToText).join(', ')}`]]), ...hint]
}

/** `3 (review)`, `5 (would mark 20 000 people)`. */
function heldToText({ report, people }: HeldReport): string {
  return people === undefined ? `${report} (review)` : `${report} (would mark ${plural(people, 'person', 'people')})`
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
