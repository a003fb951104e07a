/**
 * `npm start` and `geotrace demo`: founds a federation of real processes on this machine. Simulated residents live through
 * the last hours, one of them reports, and the demo prints who is at risk, where, when and why. Then the federation keeps
 * running until it is stopped. The demo keeps no file.
 */
import '../../platform/polyfill.ts'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AdminServer, adminServer } from '../../admin/server.ts'
import type { WebServer } from '../../local/web-server.ts'
import { silent } from '../../platform/log.ts'
import { systemRandom } from '../../platform/random.ts'
import { assertAnswering } from '../central/store/server-look.ts'
import type { Output } from '../terminal/output.ts'
import { createDemoDirectory, removeLeftovers } from './directory.ts'
import type { PeerProcess } from './peer-process.ts'
import { type FederationProcesses, startProcesses } from './processes.ts'
import { simulateResidents, simulateVisitor } from './residents.ts'
import { demoRoutes } from './routes.ts'
import { aborted, stopSignal } from './stop-signal.ts'
import { introduce, serveWeb, tellStory } from './story.ts'
import { type Supervisor, supervisor } from './supervisor.ts'
import { openTown, type Town } from './town.ts'
import { watch } from './watch.ts'

export interface DemoOptions {
  /** End after the story. */
  once?: boolean
  degrees: number
  speed: number
  webPort: number
}
/** The parts of a demo that must be stopped. A stop waits for those that still start. */
interface Running {
  keeper: Supervisor
  federation?: Promise<FederationProcesses>
  town?: Promise<Town>
  control?: AdminServer
  web?: WebServer
}

/** A roster every epoch, so that a person can watch nodes join and leave. */
const PARAMETERS = { periodEpochs: 1, reserveEpochs: 126 }

export async function demo(options: DemoOptions, out: Output): Promise<void> {
  const stop = stopSignal()
  // The central peer would only end, and start again, as long as its database gives no answer.
  const database = process.env.GEOTRACE_STORE
  if (database !== undefined) await assertAnswering(database)
  removeLeftovers()
  const dir = createDemoDirectory()
  const running: Running = { keeper: supervisor(out) }
  try {
    // A request that is open at Ctrl-C fails because its peers end. That failure is expected.
    const run = runDemo(options, dir, running, stop, out).catch((error) => {
      if (!stop.aborted) throw error
    })
    await Promise.race([run, aborted(stop)])
  } finally {
    out.progress('stopping …')
    running.keeper.stop()
    await running.control?.stop()
    await running.web?.stop()
    const federation = await running.federation?.catch(() => undefined)
    await federation?.stop()
    await running.town?.then((town) => town.close()).catch(() => {})
    rmSync(dir, { recursive: true, force: true, maxRetries: 3 })
    out.line('All processes have ended, and all files of the demo are deleted.')
  }
}

async function runDemo(
  { once = false, degrees, speed, webPort }: DemoOptions,
  dir: string,
  running: Running,
  stop: AbortSignal,
  out: Output,
): Promise<void> {
  out.line('Geo Trace: a federation on this machine only, with published keys')
  out.progress('founding …')
  const { keeper } = running
  const onEnd = (peer: PeerProcess): void => keeper.ended(peer)
  running.federation = startProcesses({ dir, degrees, parameters: PARAMETERS, onEnd, ...(speed > 1 && { speed }) })
  const federation = await running.federation
  await keeper.untilServing(federation.peers)
  if (stop.aborted) return
  introduce(federation, out)
  const { manifest, clock } = federation
  const now = clock.now()
  const residents = simulateResidents(now, systemRandom)
  running.town = openTown({ manifest, clock, residents, dir: join(dir, 'residents') })
  const town = await running.town
  await tellStory(federation, town, out)
  if (once) return
  const web = await serveWeb(federation, simulateVisitor(now, systemRandom), webPort, out)
  if (web !== undefined) running.web = web
  out.line()
  out.line('The federation keeps running, with a new roster every 80 minutes of its time. In another terminal:')
  out.line('   npx geotrace demo add-node      adds the salt node of a new operator')
  out.line('   npx geotrace demo spread        a demo of its own: a map of where 300 invented reporters have been')
  out.line('   npx geotrace demo kill ash      kills a peer, which restarts after ten seconds')
  out.line('Ctrl-C stops all processes and deletes all files of the demo.')
  const routes = demoRoutes(federation, web?.url, out)
  running.control = await adminServer({ role: 'demo', dir, routes, random: systemRandom, log: silent })
  await watch(federation, town, stop, out)
}
