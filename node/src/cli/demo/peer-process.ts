/**
 * One peer of the demo as a forked process of `geotrace`. The process ends when this one does, because the IPC channel
 * between the two closes then. Throws PEER_UNREACHABLE.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FederationError } from '@geotrace/core-wasm/wire'
import type { DaemonMessage } from '../process/daemon.ts'
import { PACKAGE_ROOT } from '../terminal/package-root.ts'

const BIN = fileURLToPath(new URL('bin/geotrace.js', PACKAGE_ROOT))
/** Founding takes about two seconds. This allows thirty times as much on a loaded machine. */
const SERVING_MAX_MS = 60_000
/** Longer than the 4.5 s after which a stopping peer ends itself. */
const STOP_MAX_MS = 8_000

export interface PeerProcess {
  readonly name: string
  readonly role: 'salt' | 'central'
  readonly dir: string
  readonly pid: number | undefined
  /** Resolves when the peer serves. Throws PEER_UNREACHABLE with the end of the peer's log. */
  serving(): Promise<void>
  /** Sends a signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts the peer again on the same directory. */
  restart(): void
}

/** Starts `geotrace … run` with these arguments as a forked process. */
export function peerProcess(name: string, role: 'salt' | 'central', dir: string, args: string[]): PeerProcess {
  const log = join(dir, 'log')
  let state = ''
  let child: ChildProcess
  const launch = () => {
    const file = openSync(log, 'a', 0o600)
    state = ''
    const started = fork(BIN, args, { execArgv: [], stdio: ['ignore', file, file, 'ipc'] })
    closeSync(file)
    started.on('message', (message: DaemonMessage) => {
      if (child === started) state = message.state
    })
    child = started
  }
  const gone = () => child.exitCode !== null || child.signalCode !== null
  launch()
  return {
    name,
    role,
    dir,
    get pid() {
      return gone() ? undefined : child.pid
    },
    restart: launch,
    async serving() {
      for (let waited = 0; waited < SERVING_MAX_MS; waited += 50) {
        if (state === 'serving') return
        if (gone()) break
        await pause(50)
      }
      const tail = readFileSync(log, 'utf8').trim().split('\n').slice(-3).join('\n')
      const what = `${role === 'salt' ? 'salt node' : 'central peer'} ${name}`
      const end = gone() ? 'ended before it served' : 'does not serve'
      throw new FederationError('PEER_UNREACHABLE', `${what} ${end}; its log ends with: ${tail}`, { tried: 1 })
    },
    async kill(signal) {
      if (gone()) return
      const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
      child.kill(signal)
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS)
      await ended
      clearTimeout(timer)
    },
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
