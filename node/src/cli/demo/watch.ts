/** Runs the demo after its story: the residents live on, new rosters are printed, and a status line is kept up to date. */
import { adminRequest } from '../../admin/client.ts'
import type { RosterView } from '../../admin/membership-routes.ts'
import type { Output } from '../terminal/output.ts'
import type { FederationProcesses } from './processes.ts'
import { aborted } from './stop-signal.ts'
import type { Town } from './town.ts'
import { clockTime, rosterLine } from './words.ts'

const STATUS_MS = 2_000

/** Resolves when `stop` aborts. */
export async function watch(
  federation: FederationProcesses,
  town: Town,
  stop: AbortSignal,
  out: Output,
): Promise<void> {
  let printed = 0
  // One listener for all rounds, because a listener for each round would pile up.
  const stopped = aborted(stop)
  while (!stop.aborted) {
    printed = await printRosters(federation, printed, out)
    out.progress(await statusLine(federation, town))
    await Promise.race([stopped, new Promise((resolve) => setTimeout(resolve, STATUS_MS).unref())])
    await town.live((name, code) => out.line(`${name} could not sync (${code}) and tries again in an hour`))
  }
}

/** Prints a line for each new roster and returns the number of rosters printed so far. */
async function printRosters({ saltNodes }: FederationProcesses, printed: number, out: Output): Promise<number> {
  const running = saltNodes.find(({ pid }) => pid !== undefined)
  if (running === undefined) return printed
  const log = await adminRequest(running.dir, 'GET', '/rosters').catch(() => undefined)
  const { rosters } = (log ?? { rosters: [] }) as { rosters: RosterView[] }
  for (const roster of rosters.slice(printed)) out.line(rosterLine(roster))
  return Math.max(printed, rosters.length)
}

async function statusLine({ peers, saltNodes, central, clock }: FederationProcesses, town: Town): Promise<string> {
  const running = peers.filter((peer) => peer.pid !== undefined).length
  const salts = await Promise.all(saltNodes.map((peer) => readStatus(peer.dir)))
  const { syncs = 0, activeReports = 0 } = await readStatus(central.dir)
  const answered = salts.reduce((sum, item) => sum + (item.answered ?? 0), 0)
  return (
    `${clockTime(clock.now())}  ${running} of ${peers.length} peers run, ${answered} salt requests answered, ` +
    `${syncs} syncs, ${activeReports} ${activeReports === 1 ? 'report' : 'reports'}, ${town.size} residents`
  )
}

async function readStatus(dir: string): Promise<Record<string, number>> {
  try {
    return (await adminRequest(dir, 'GET', '/status')) as Record<string, number>
  } catch {
    // The count of running peers shows a peer that is down.
    return {}
  }
}
