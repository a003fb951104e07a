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
const LOG_LINES_SHOWN = 3
/** Longer than the 4.5 s after which a stopping peer ends itself. */
const STOP_MAX_MS = 8_000

export interface PeerProcess {
  readonly name: string
  readonly role: 'salt' | 'central'
  readonly dir: string
  readonly pid: number | undefined
  readonly isServing: boolean
  /** Resolves when the peer serves. Throws PEER_UNREACHABLE with the end of the peer's log. */
  serving(): Promise<void>
  /** Sends a signal and resolves when the process has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts the peer again on the same directory, unless it runs. */
  restart(): void
  /** The last lines of its log. */
  logEnd(): string
}

interface PeerProcessInit {
  name: string
  role: 'salt' | 'central'
  dir: string
  /** Arguments of `geotrace`. */
  args: string[]
  /** Called after each end of the process. */
  onEnd?: ((peer: PeerProcess) => void) | undefined
}

/** Starts `geotrace … run` with these arguments as a forked process. */
export function peerProcess({ name, role, dir, args, onEnd }: PeerProcessInit): PeerProcess {
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
    started.once('exit', () => onEnd?.(peer))
    child = started
  }
  const logEnd = () => readFileSync(log, 'utf8').trim().split('\n').slice(-LOG_LINES_SHOWN).join('\n')
  const gone = () => child.exitCode !== null || child.signalCode !== null
  const peer: PeerProcess = {
    name,
    role,
    dir,
    get pid() {
      return gone() ? undefined : child.pid
    },
    get isServing() {
      return !gone() && state === 'serving'
    },
    restart: () => void (gone() && launch()),
    logEnd,
    async serving() {
      for (let waited = 0; waited < SERVING_MAX_MS; waited += 50) {
        if (state === 'serving') return
        if (gone()) break
        await pause(50)
      }
      const what = `${role === 'salt' ? 'salt node' : 'central peer'} ${name}`
      const end = gone() ? 'ended before it served' : 'does not serve'
      throw new FederationError('PEER_UNREACHABLE', `${what} ${end}; its log ends with: ${logEnd()}`, { tried: 1 })
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
  launch()
  return peer
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
