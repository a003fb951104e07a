/**
 * A peer as a process: logs to stderr, a control server in its directory, clean shutdown on SIGINT, SIGTERM, or when
 * the parent that forked it is gone. Tells a parent over IPC when it serves.
 */
import { pino } from 'pino'
import { type AdminRoutes, adminServer } from '../admin/server.ts'
import type { Log } from '../log.ts'
import type { Random } from '../random.ts'
import { startWatchdog } from './watchdog.ts'

export interface Peer {
  start(): Promise<void>
  stop(): Promise<void>
  status(): { state: string }
}

export interface DaemonInit {
  dir: string
  peer: Peer
  routes: AdminRoutes
  random: Random
  log: Log
}

/** What a child sends its parent. */
export interface DaemonMessage {
  state: string
}

const STATE_POLL_MS = 100
/** Longer than any request under way; then the process ends anyway. */
const STOP_MAX_MS = 5_000

/** Runs the peer until it is told to stop; resolves after a clean stop. */
export async function runDaemon({ dir, peer, routes, random, log }: DaemonInit): Promise<void> {
  const stopped = untilToldToStop()
  const watchdog = startWatchdog('peer')
  await peer.start()
  const admin = await adminServer({ dir, routes, random, log })
  let state = ''
  const watch = () => {
    if (state === peer.status().state) return
    state = peer.status().state
    log.info('peer.state', { state })
    if (process.connected) process.send?.({ state } satisfies DaemonMessage)
  }
  const poll = setInterval(watch, STATE_POLL_MS)
  watch()
  await stopped
  clearInterval(poll)
  const deadline = setTimeout(() => process.exit(1), STOP_MAX_MS)
  await admin.stop()
  await peer.stop()
  await watchdog.stop()
  clearTimeout(deadline)
  if (process.connected) process.disconnect()
}

/** Structured lines on stderr: an event and counters, never anything personal. */
export function processLog(role: string, level: string): Log {
  const logger = pino({ name: role, level, base: { role } }, pino.destination({ dest: 2, sync: true }))
  return {
    info: (event, fields = {}) => logger.info(fields, event),
    warn: (event, fields = {}) => logger.warn(fields, event),
    error: (event, fields = {}) => logger.error(fields, event),
  }
}

function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
    process.once('disconnect', () => resolve())
  })
}
