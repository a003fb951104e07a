/**
 * `npm start`: founds a federation of real processes on this machine, lets simulated residents live through the last
 * hours, has one report, shows who was marked, where, when and why, and stays up. Nothing of it is kept.
 */
import '../../platform/polyfill.ts'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bytesToHex, EPOCH_MS, manifestToId } from '@geotrace/core-wasm/wire'
import { Command } from 'commander'
import { adminRequest } from '../../admin/client.ts'
import type { RosterView } from '../../admin/membership-routes.ts'
import { type AdminRoutes, type AdminServer, adminServer } from '../../admin/server.ts'
import type { WebServer } from '../../local/web-server.ts'
import { silent } from '../../platform/log.ts'
import { systemRandom } from '../../platform/random.ts'
import { examples, invalid, wholeNumber } from '../terminal/options.ts'
import { type Output, table } from '../terminal/output.ts'
import { type AddedNode, addNodeCommand, DEMO_DIRECTORY, type KilledNode, killCommand } from './control.ts'
import { type FederationProcesses, startProcesses } from './processes.ts'
import { simulateResidents, simulateVisitor } from './residents.ts'
import { openTown, type Town } from './town.ts'
import { startDemoWeb } from './web.ts'

interface DemoOptions {
  once?: boolean
  degrees: number
  speed: number
  webPort: number
}

const REPORTER = 'ada'
/** Free on most machines; when taken, any free one serves. */
const WEB_PORT = 4100
const STATUS_MS = 2_000
/** A killed node comes back after this long. */
const RESTART_MS = 10_000
const PARENT_POLL_MS = 500

export function demoCommand(out: Output): Command {
  const command = new Command('demo')
    .description('found and run a whole federation on this machine')
    .option('--once', 'end after the story')
    .option('--web-port <port>', 'where the web app is served; 0 takes any free port', wholeNumber, WEB_PORT)
    .option('--degrees <k>', 'contact steps that the report marks', wholeNumber, 2)
    .option('--speed <n>', 'let time go n times as fast, to watch rosters follow each other', wholeNumber, 1)
    .action((options: DemoOptions) => demo(options, out))
    .addCommand(addNodeCommand(out))
    .addCommand(killCommand(out))
  return examples(command, 'geotrace demo --once', 'geotrace demo --speed 20')
}

async function demo({ once = false, degrees, speed, webPort }: DemoOptions, out: Output): Promise<void> {
  const stop = toldToStop()
  removeLeftovers()
  const dir = mkdtempSync(join(tmpdir(), `${DEMO_DIRECTORY}${process.pid}-`))
  let federation: FederationProcesses | undefined
  let town: Town | undefined
  let control: AdminServer | undefined
  let web: WebServer | undefined
  const run = async () => {
    out.line('Geo Trace: a federation on this machine only, with published keys')
    out.progress('founding …')
    // A roster every epoch, so that a person can watch nodes come and go.
    const parameters = { periodEpochs: 1, reserveEpochs: 126 }
    federation = await startProcesses({ dir, degrees, parameters, ...(speed > 1 && { speed }) })
    await Promise.all(federation.peers.map((peer) => peer.serving()))
    introduce(federation, out)
    const { manifest, clock } = federation
    const now = clock.now()
    const residents = simulateResidents(now, systemRandom)
    town = await openTown({ manifest, clock, residents, dir: join(dir, 'residents') })
    await story(federation, town, out)
    if (once) return
    web = await serveWeb(federation, simulateVisitor(now, systemRandom), webPort, out)
    out.line()
    out.line('The federation keeps running, with a new roster every 80 minutes of its time. In another terminal:')
    out.line('   npx geotrace demo add-node      a new operator joins')
    out.line('   npx geotrace demo kill ash      a salt node dies, and comes back')
    out.line('Ctrl-C ends it and removes everything.')
    control = await adminServer({ dir, routes: demoRoutes(federation, out), random: systemRandom, log: silent })
    await watch(federation, town, stop, out)
  }
  try {
    // What is under way when Ctrl-C comes fails because its peers are gone; that is no news.
    await Promise.race([run().catch((error) => (stop.aborted ? undefined : Promise.reject(error))), aborted(stop)])
  } finally {
    out.progress('stopping …')
    await control?.stop()
    await web?.stop()
    await federation?.stop()
    await town?.close().catch(() => {})
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
    out.line('All processes ended; nothing is left behind.')
  }
}

/** Directories of demos that were killed and could not tidy up. */
function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(DEMO_DIRECTORY) || isRunning(Number.parseInt(name.slice(DEMO_DIRECTORY.length), 10))) continue
    rmSync(join(tmpdir(), name), { recursive: true, force: true })
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function introduce(federation: FederationProcesses, out: Output): void {
  const { manifest, peers } = federation
  const { shards, replicas } = manifest.parameters
  out.line(
    `Federation ${bytesToHex(manifestToId(manifest)).slice(0, 16)}: ${shards} shards, each on ${replicas} salt nodes; roster 0 is certified`,
  )
  const addresses = new Map(
    [...manifest.members, manifest.central].map(({ operator, addresses: all }) => [operator, all]),
  )
  const rows = peers.map(({ name, role, pid }) => ['  ', role, name, `pid ${pid}`, ...(addresses.get(name) ?? [])])
  for (const line of table(rows)) out.line(line)
}

/** For a person: the same federation, in the browser. */
async function serveWeb(
  { manifest, central }: FederationProcesses,
  visitor: object,
  port: number,
  out: Output,
): Promise<WebServer | undefined> {
  const init = { manifest, visitor }
  const web = await startDemoWeb({ ...init, port }).catch((error) => {
    if ((error as { code?: string }).code === 'EADDRINUSE') return startDemoWeb({ ...init, port: 0 })
    throw error
  })
  if (web === undefined) return undefined
  const { codes } = (await adminRequest(central.dir, 'POST', '/codes', { count: 1, days: 1 })) as { codes: [string] }
  out.line()
  out.line(`The web app, for you:  ${web.url}`)
  out.line('   what a phone shows its owner: map, diary, exposures, what leaves the device; and a lab that explains it')
  out.line(`   a report code to try:  ${codes[0]}`)
  return web
}

async function story(federation: FederationProcesses, town: Town, out: Output): Promise<void> {
  out.line()
  out.line('The last two and three quarter hours, a fix every five minutes, hashed with real salts and deposited:')
  for (const { name, story: what, result } of await town.syncAll((name) => out.progress(`${name} syncs …`))) {
    out.line(
      `   ${name.padEnd(5)} ${what.padEnd(36)} ${result.fixesHashed} fixes → ${result.rowsDeposited} risk hashes, ${result.saltsAsked} salts`,
    )
  }
  const { codes } = (await adminRequest(federation.central.dir, 'POST', '/codes', { count: 1, days: 1 })) as {
    codes: [string]
  }
  await town.report(REPORTER, codes[0])
  out.line()
  out.line(`The authority issues report code ${codes[0]}; ${REPORTER} reports. At their next sync the others learn:`)
  for (const { name, story: what, degree, same, trail, exposures } of await town.look(REPORTER)) {
    out.line()
    if (degree === 0) out.line(`   ${name}: not at risk (${what})`)
    else out.line(`   ${name}: AT RISK, degree ${degree}: ${why(same, trail)} (${what})`)
    for (const { from, to, lat, lng, matches } of exposures) {
      out.line(
        `      ${clock(from)} – ${clock(to)}  near ${lat.toFixed(5)}, ${lng.toFixed(5)}  ${matches} matching hashes`,
      )
    }
  }
}

/** What `geotrace demo add-node` and `kill` ask. */
function demoRoutes(federation: FederationProcesses, out: Output): AdminRoutes {
  return {
    'POST /add-node': async (): Promise<AddedNode> => {
      const { peer, sponsors } = await federation.addNode()
      out.line(`${peer.name} applies, sponsored by ${sponsors.join(', ')}`)
      return { name: peer.name, pid: peer.pid!, sponsors }
    },
    'POST /kill': async (body): Promise<KilledNode> => {
      const { node } = (body ?? {}) as { node?: unknown }
      const peer = federation.saltNodes.find(({ name }, i) => name === node || String(i + 1) === node)
      if (peer === undefined)
        invalid(`no salt node ${node}; there are ${federation.saltNodes.map((p) => p.name).join(', ')}`)
      await peer.kill('SIGKILL')
      out.line(`${peer.name} is killed`)
      setTimeout(() => {
        peer.restart()
        out.line(`${peer.name} is started again`)
      }, RESTART_MS).unref()
      return { name: peer.name }
    },
  }
}

/** A line for each roster that was not there before; the number of rosters. */
async function tellRosters(federation: FederationProcesses, told: number, out: Output): Promise<number> {
  const up = federation.saltNodes.find(({ pid }) => pid !== undefined)
  if (up === undefined) return told
  const log = await adminRequest(up.dir, 'GET', '/rosters').catch(() => undefined)
  const { rosters } = (log ?? { rosters: [] }) as { rosters: RosterView[] }
  for (const { height, name, firstEpoch, members, newcomers, admitted, changes } of rosters.slice(told)) {
    const coming = newcomers + admitted > 0 ? `, ${newcomers + admitted} coming` : ''
    const what = changes.length > 0 ? `: ${changes.join('; ')}` : ''
    out.line(`Roster ${height} (${name}), from ${clock(firstEpoch * EPOCH_MS)}: ${members} salt nodes${coming}${what}`)
  }
  return Math.max(told, rosters.length)
}

/** Until Ctrl-C: the residents go on living, and a line of status. */
async function watch(federation: FederationProcesses, town: Town, stop: AbortSignal, out: Output): Promise<void> {
  let told = 0
  // Once: a listener a round would pile up.
  const stopped = aborted(stop)
  while (!stop.aborted) {
    told = await tellRosters(federation, told, out)
    const up = federation.peers.filter((peer) => peer.pid !== undefined).length
    const salts = await Promise.all(federation.saltNodes.map((peer) => status(peer.dir)))
    const central = await status(federation.central.dir)
    const answered = salts.reduce((sum, item) => sum + (item.answered ?? 0), 0)
    out.progress(
      `${clock(federation.clock.now())}  ${up} of ${federation.peers.length} peers up, ${answered} salt requests answered, ` +
        `${central.syncs ?? 0} syncs, ${central.activeReports ?? 0} report, ${town.size} residents`,
    )
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STATUS_MS).unref())])
    await town.live((name, code) => out.line(`${name} puts a sync off by an hour (${code})`))
  }
}

async function status(dir: string): Promise<Record<string, number>> {
  try {
    return (await adminRequest(dir, 'GET', '/status')) as Record<string, number>
  } catch {
    // A peer that is down shows in the count of peers.
    return {}
  }
}

function why(same: number, trail: number): string {
  const parts = [
    same > 0 && `${same} in the same place and block`,
    trail > 0 && `${trail} where somebody had just been`,
  ]
  return parts.filter(Boolean).join(', ')
}

function clock(at: number): string {
  return new Date(at).toTimeString().slice(0, 5)
}

/** Aborts at the first SIGINT, SIGTERM or SIGHUP, or when the process that started us is gone. */
function toldToStop(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && controller.abort(), PARENT_POLL_MS).unref()
  return controller.signal
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
