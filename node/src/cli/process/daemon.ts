/**
 * A peer as a process: logs to stderr, a control server in its directory, clean shutdown on SIGINT, SIGTERM, when it is
 * told to drain, or when the parent that forked it is gone. Tells a parent over IPC when it serves.
 */

import type { Random } from '@geotrace/core-wasm'
import { type AdminRoutes, adminServer } from '../../admin/server.ts'
import type { Log } from '../../platform/log.ts'
import { startWatchdog } from './watchdog.ts'

export interface RunningPeer {
  start(): Promise<void>
  stop(): Promise<void>
  status(): { state: string }
}

export interface DaemonInit {
  dir: string
  peer: RunningPeer
  routes: AdminRoutes
  /** Draws the status page; without it there is none. */
  page?: () => string
  random: Random
  log: Log
  /** Resolves when the process shall stop by its own decision; the exit code is then 1. */
  failed?: Promise<void>
  /** Called at every look at the state. */
  onTick?: () => void
}

/** What a child sends its parent. */
export interface DaemonMessage {
  state: string
}

const STATE_POLL_MS = 100
/** Longer than any request under way; then the process ends anyway. */
const STOP_MAX_MS = 4_500

/** Runs the peer until it is told to stop; resolves after a clean stop. */
export async function runDaemon({ dir, peer, routes, page, random, log, failed, onTick }: DaemonInit): Promise<void> {
  let drain = (): void => {}
  const stopped = Promise.race([
    untilToldToStop(),
    new Promise<void>((resolve) => {
      drain = resolve
    }),
    ...(failed === undefined ? [] : [failed.then(endWithFailure)]),
  ])
  const watchdog = startWatchdog('peer')
  await peer.start()
  const control: AdminRoutes = {
    'POST /drain': () => {
      log.info('peer.draining')
      drain()
      return { pid: process.pid }
    },
  }
  const admin = await adminServer({ dir, routes: { ...routes, ...control }, random, log, ...(page && { page }) })
  let state = ''
  const watch = () => {
    onTick?.()
    if (state === peer.status().state) return
    state = peer.status().state
    log.info('peer.state', { state })
    if (process.connected) process.send?.({ state } satisfies DaemonMessage)
  }
  const poll = setInterval(watch, STATE_POLL_MS)
  watch()
  await stopped
  const deadline = setTimeout(() => process.exit(1), STOP_MAX_MS)
  // The control server last: whoever drains the node sees how far it is.
  await peer.stop()
  clearInterval(poll)
  await admin.stop()
  await watchdog.stop()
  clearTimeout(deadline)
  if (process.connected) process.disconnect()
}

function endWithFailure(): void {
  process.exitCode = 1
}

function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    process.once('disconnect', () => resolve())
  })
}
