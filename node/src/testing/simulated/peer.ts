/**
 * A peer of a simulated federation, as a process that a fault can kill and that starts again on the same disk.
 * CONTRIBUTING "Simulation". The peer's log is part of the history. An error in the log is a complaint.
 */

import type { OpenHost } from '../../net/host.ts'
import type { Log } from '../../platform/log.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { type SimulatedDisk, simulatedDisk } from './disk.ts'
import { createMachine, type Life, type Machine } from './machine.ts'
import type { SimulatedNetwork } from './network.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'
import type { Trace } from './trace.ts'

export interface PeerIdentity {
  readonly name: string
  /** The 32-byte Ed25519 secret of the peer id. */
  readonly secret: Uint8Array
}

export interface SimulatedPeer<P> extends PeerIdentity {
  readonly key: Uint8Array
  readonly machine: Machine
  /** The process that runs now, if one runs. */
  readonly running: P | undefined
  start(): void
  /** Ends the process as SIGKILL does: its memory is gone, and its disk keeps every finished write. */
  kill(): void
}

/** The parts that one run of the process works with. */
interface ProcessParts {
  life: Life
  disk: SimulatedDisk
  random: SeededRandom
  log: Log
  openHost: OpenHost
}

export interface World {
  scheduler: Scheduler
  random: SeededRandom
  trace: Trace
  network: SimulatedNetwork
  /** Collects events that no fault may cause. */
  complaints: string[]
}

/** The clocks of a federation's machines differ by seconds, as with NTP at its worst. */
const CLOCK_SPREAD_MS = 2_000

/** `make` builds the process of one life; `onKill` receives the process that was killed. */
export function simulatedPeer<P extends { start(): Promise<void> }>(
  world: World,
  { name, secret }: PeerIdentity,
  make: (parts: ProcessParts) => P,
  onKill: (killed: P) => void = () => {},
): SimulatedPeer<P> {
  const { scheduler, trace, network, complaints } = world
  const { key } = nativeSigner(secret)
  const random = world.random.fork(name)
  const machine = createMachine(scheduler, name)
  machine.offsetMs = Math.round(random.between(-CLOCK_SPREAD_MS, CLOCK_SPREAD_MS))
  const disk = simulatedDisk(random.fork('disk'))
  let life: Life | undefined
  let running: P | undefined
  return {
    name,
    secret,
    key,
    machine,
    get running() {
      return running
    },
    start() {
      if (running !== undefined) return
      const begun = machine.boot()
      life = begun
      trace.note(scheduler.nowMs, `${name} starts`)
      const openHost = network.openHost(begun, key)
      running = make({ life: begun, disk, random, log: tracingLog(world, begun), openHost })
      running.start().catch((error: unknown) => {
        if (!begun.isOver) complaints.push(`${name} cannot start: ${error}`)
      })
    },
    kill() {
      if (running === undefined) return
      trace.note(scheduler.nowMs, `${name} is killed`)
      life?.end()
      const killed = running
      running = undefined
      onKill(killed)
    },
  }
}

function tracingLog({ scheduler, trace, complaints }: World, life: Life): Log {
  const say = (level: string) => (event: string, fields?: object) => {
    if (life.isOver) return
    const line = `${life.machine.name} ${level} ${event} ${JSON.stringify(fields ?? {})}`
    trace.note(scheduler.nowMs, line)
    if (level === 'error') complaints.push(line)
  }
  return { info: say('info'), warn: say('warn'), error: say('error') }
}
