/**
 * The demo federation as real processes: five salt nodes and the central peer, each `geotrace … run` on its own
 * directory, forked so that they end when this process does, however it ends.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@geotrace/core-wasm'
import { DEMO_PHRASE, demoSecret, FederationError, type Manifest, type Parameters } from '@geotrace/core-wasm/wire'
import { DEMO_AUTHORITY, DEMO_OPERATORS, localManifest } from '../../local-federation.ts'
import { loopbackAddresses } from '../../loopback.ts'
import { systemRandom } from '../../random.ts'
import type { DaemonMessage } from '../daemon.ts'
import { writeIdentity } from '../identity.ts'

const BIN = fileURLToPath(new URL('../../../bin/geotrace.js', import.meta.url))
/** Founding takes about two seconds; a loaded machine gets thirty times that. */
const SERVING_MAX_MS = 60_000
/** A child stops within five seconds or ends itself. */
const STOP_MAX_MS = 8_000

export interface PeerProcess {
  readonly name: string
  readonly role: 'salt' | 'central'
  readonly dir: string
  readonly pid: number | undefined
  /** Resolves when the peer serves. Throws PEER_UNREACHABLE with the end of its log when it ends before. */
  serving(): Promise<void>
  /** Ends it by a signal and resolves when it is gone. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Starts it again on the same directory. */
  restart(): void
}
export interface FederationProcesses {
  readonly manifest: Manifest
  readonly manifestPath: string
  readonly peers: readonly PeerProcess[]
  readonly saltNodes: readonly PeerProcess[]
  readonly central: PeerProcess
  stop(): Promise<void>
}

export interface ProcessesInit {
  /** Fresh and empty. */
  dir: string
  degrees?: number
  parameters?: Partial<Parameters>
}

/** Writes manifest and keys into `dir` and forks all peers; they found the federation by themselves. */
export async function startProcesses({ dir, degrees = 1, parameters }: ProcessesInit): Promise<FederationProcesses> {
  const hosts = await loopbackAddresses(1, DEMO_OPERATORS.length + 1)
  const at = systemClock().now()
  const manifest = await localManifest({ hosts, at, random: systemRandom, ...(parameters && { parameters }) })
  const manifestPath = join(dir, 'federation.json')
  writeFileSync(manifestPath, JSON.stringify(manifest, null, 2), { mode: 0o600 })
  const peers = [...DEMO_OPERATORS, DEMO_AUTHORITY].map((name, i) => {
    const role = name === DEMO_AUTHORITY ? 'central' : 'salt'
    const own = join(dir, name)
    mkdirSync(own, { mode: 0o700 })
    writeIdentity(own, {
      secret: demoSecret(DEMO_PHRASE, `peer/${name}`),
      operatorSecret: demoSecret(DEMO_PHRASE, `operator/${name}`),
    })
    const args = [role, 'run', '--dir', own, '--federation', manifestPath, '--local-address', hosts[i]!]
    return peerProcess(name, role, own, role === 'central' ? [...args, '--degrees', String(degrees)] : args)
  })
  return {
    manifest,
    manifestPath,
    peers,
    saltNodes: peers.slice(0, -1),
    central: peers.at(-1)!,
    async stop() {
      await Promise.all(peers.map((peer) => peer.kill('SIGTERM')))
    },
  }
}

function peerProcess(name: string, role: 'salt' | 'central', dir: string, args: string[]): PeerProcess {
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
      throw new FederationError('PEER_UNREACHABLE', `${role} ${name} ${gone() ? 'ended' : 'does not serve'}: ${tail}`, {
        tried: 1,
      })
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
