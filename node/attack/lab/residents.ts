/**
 * The devices of the people: real clients over real streams, each with a loopback address of its own. A tap on each device
 * notes what its peers see of every request.
 */
import { createTracer, type Dialer, memoryStorage, type Session, type SyncResult, type Tracer } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { type Core, isFederationError, type SimulatedClock } from '@geotrace/core-wasm'
import { bytesToHex, type Manifest } from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../src/local/loopback.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { LabPerson, Scene } from './scene.ts'

/** A request as the peer that answers it sees it. */
export interface Seen {
  readonly address: string
  /** Hex key of the peer. */
  readonly peer: string
  readonly protocol: string
  readonly frame: Uint8Array
  /** The order in which all requests of the federation arrived. */
  readonly order: number
  /** Whether the device got the answer. */
  isAnswered: boolean
}
export interface Inhabitant extends LabPerson {
  readonly tracer: Tracer
  readonly address: string
  readonly seen: readonly Seen[]
}

/** Devices that sync at once. More make the event loop late, and then nodes refuse with BUSY. */
const AT_ONCE = 2
const ROUNDS_MAX = 50
/** Errors of a machine with much other work. */
export const PASSING = ['BUSY', 'PEER_TIMEOUT', 'PEER_UNREACHABLE'] as const
const MINUTE_MS = 60_000

interface DeviceInit {
  readonly manifest: Manifest
  readonly core: Core
  readonly clock: SimulatedClock
}

export async function equipResidents(people: Scene['people'], init: DeviceInit): Promise<Inhabitant[]> {
  const addresses = await loopbackAddresses(2, people.length)
  const order = { next: 0 }
  return Promise.all(people.map((person, i) => equipDevice(person, addresses[i]!, init, order)))
}

/** A new device for a person, which holds no secrets yet. */
export async function equipDevice(
  person: LabPerson,
  address: string,
  { manifest, core, clock }: DeviceInit,
  order = { next: 0 },
): Promise<Inhabitant> {
  const seen: Seen[] = []
  const dialer = tapped(libp2pDialer({ localAddress: address }), address, seen, order)
  const more = { storage: memoryStorage(), random: systemRandom, redaction: false } as const
  const tracer = await createTracer({ federation: manifest, core, clock, dialer, ...more })
  return { ...person, tracer, address, seen }
}

/** Lets everybody live through the hour, and sync after it. */
export async function liveHour(residents: readonly Inhabitant[], clock: SimulatedClock): Promise<void> {
  const last = Math.max(...residents.flatMap(({ fixes }) => fixes.map(({ at }) => at)))
  await clock.jumpTo(last)
  for (const { tracer, fixes } of residents) for (const fix of fixes) await tracer.record(fix)
  await clock.jumpTo(last + 6 * MINUTE_MS)
  await syncAll(residents)
}

/** Syncs everybody, and again those whom a busy peer put off, until nobody waits. Throws after too many rounds. */
export async function syncAll(residents: readonly Inhabitant[]): Promise<void> {
  let left = [...residents]
  for (let round = 0; left.length > 0; round++) {
    if (round === ROUNDS_MAX) throw new Error(`${left.length} devices could not sync: this machine is too busy`)
    const again: Inhabitant[] = []
    for (let i = 0; i < left.length; i += AT_ONCE) {
      await Promise.all(
        left.slice(i, i + AT_ONCE).map(async (resident) => {
          const result = await syncOnce(resident)
          if (result === undefined || result.fixesDeferred > 0) again.push(resident)
        }),
      )
    }
    left = again
  }
}

/** Undefined when a peer was busy or did not answer in time. */
export async function syncOnce({ tracer }: Inhabitant): Promise<SyncResult | undefined> {
  try {
    return await tracer.sync()
  } catch (error) {
    const isPassing = PASSING.some((code) => isFederationError(error, code))
    if (isPassing) return undefined
    throw error
  }
}

function tapped(dialer: Dialer, address: string, seen: Seen[], order: { next: number }): Dialer {
  return {
    async open(): Promise<Session> {
      const session = await dialer.open()
      return {
        async request(peer, protocol, frame, options) {
          const sent = { address, peer: bytesToHex(peer.key), protocol: protocol.id, frame, order: order.next++ }
          const noted = { ...sent, isAnswered: false }
          seen.push(noted)
          const answer = await session.request(peer, protocol, frame, options)
          noted.isAnswered = true
          return answer
        },
        close: () => session.close(),
      }
    },
  }
}
