/**
 * Runs a peer as a process: a log on stderr, a control server in its directory, and a clean stop. The process stops on
 * SIGINT and SIGTERM, on a drain request, and when the parent that forked it ends. It sends each state to its parent.
 */
import type { Random } from '@geotrace/core-wasm'
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'
import { type AdminRoutes, adminServer, type Staff } from '../../admin/server.ts'
import type { Log } from '../../platform/log.ts'
import { startWatchdog } from './watchdog.ts'

interface RunningPeer {
  start(): Promise<void>
  stop(): Promise<void>
  status(): { state: string }
}

interface DaemonInit {
  role: 'salt' | 'central'
  dir: string
  peer: RunningPeer
  routes: AdminRoutes
  /** One word for the log; by default the peer's state. */
  health?: () => string
  /** The content of the status page; without it there is no page. */
  page?: () => string
  /** The staff of the authority. */
  staff?: Staff
  /** Port of the control server; default: any. */
  controlPort?: number
  random: Random
  log: Log
  /** Resolves when the process must stop because of a fault. */
  failed?: Promise<void>
  /** The event loop may be blocked for so long; default: that of a salt node, which has no work that takes seconds. */
  stallMaxMs?: number
  /** After it the process exits with code 1; default: longer than any open request of a salt node. */
  stopMaxMs?: number
  /** Called ten times a second. */
  onTick?: () => void
}

/** The message of a child process to its parent. */
export interface DaemonMessage {
  state: string
}

const STATE_POLL_MS = 100
const STOP_MAX_MS = 4_500

/**
 * Runs the peer until a signal, a drain request or a fault stops it. Resolves after the stop with the exit code: 1 after a
 * fault.
 */
export async function runDaemon(init: DaemonInit): Promise<0 | 1> {
  const { role, dir, peer, routes, page, staff, controlPort: port, random, log, failed, onTick } = init
  const health = init.health ?? (() => peer.status().state)
  let drain = (): void => {}
  let isStopping = false
  const stopped = Promise.race([
    untilToldToStop().then(() => 0 as const),
    new Promise<0>((resolve) => {
      drain = () => resolve(0)
    }),
    ...(failed === undefined ? [] : [failed.then(() => 1 as const)]),
  ])
  const watchdog = startWatchdog('peer', init.stallMaxMs)
  await peer.start()
  const control: AdminRoutes = {
    'POST /drain': () => {
      log.info('peer.draining')
      drain()
      return { pid: process.pid }
    },
  }
  const all = untilStop({ ...routes, ...control }, dir, () => isStopping)
  const server = { role, dir, routes: all, random, log, ...(page && { page }) }
  const admin = await adminServer({ ...server, ...(staff && { staff }), ...(port !== undefined && { port }) })
  const last = { health: '', state: '' }
  const watch = () => {
    onTick?.()
    const now = { health: health(), state: peer.status().state }
    if (now.health !== last.health) log.info('peer.health', { health: now.health })
    if (now.state !== last.state && process.connected) process.send?.({ state: now.state } satisfies DaemonMessage)
    Object.assign(last, now)
  }
  const poll = setInterval(watch, STATE_POLL_MS)
  watch()
  const exitCode = await stopped
  isStopping = true
  const deadline = setTimeout(() => process.exit(1), init.stopMaxMs ?? STOP_MAX_MS)
  // The control server stops last, so that `geotrace salt drain` can show the progress.
  await peer.stop()
  clearInterval(poll)
  await admin.stop()
  await watchdog.stop()
  clearTimeout(deadline)
  if (process.connected) process.disconnect()
  return exitCode
}

/** The routes. A peer that stops closes its store in the middle of a request, which is no fault to log. */
function untilStop(routes: AdminRoutes, dir: string, isStopping: () => boolean): AdminRoutes {
  const guarded = Object.entries(routes).map(([key, route]) => {
    const answer: typeof route = async (body, caller) => {
      try {
        return await route(body, caller)
      } catch (error) {
        if (!isStopping() || isFederationError(error)) throw error
        throw new FederationError('NODE_NOT_RUNNING', `the node on ${dir} is stopping`, { dir }, { cause: error })
      }
    }
    return [key, answer] as const
  })
  return Object.fromEntries(guarded)
}

function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    process.once('disconnect', () => resolve())
  })
}
