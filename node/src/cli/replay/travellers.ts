/** The people of a replay with their devices: each is a real client with a storage and a loopback address of its own. */
import { join } from 'node:path'
import { createTracer, type SyncResult, type Tracer } from '@geotrace/client'
import { levelStorage, libp2pDialer } from '@geotrace/client/node'
import type { Clock, Core, SimulatedClock } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import type { CentralPeer } from '../../central/peer.ts'
import { loopbackAddresses } from '../../local/loopback.ts'
import { systemRandom } from '../../platform/random.ts'
import type { Person } from './people.ts'
import type { RecordSum } from './receipt.ts'
import { nextHour } from './schedule.ts'

/** Further syncs, one an hour, in which everybody reads the rest of their marks. */
const LAST_HOURS_MAX = 1_000

export interface Traveller extends Person {
  tracer: Tracer
  /** The index of the first fix that is not recorded yet. */
  next: number
  results: SyncResult[]
  recorded: RecordSum
}

interface EquipInit {
  people: readonly Person[]
  dir: string
  redaction: boolean
  manifest: Manifest
  core: Core
  clock: Clock
}

export async function equip({ people, dir, redaction, manifest, core, clock }: EquipInit): Promise<Traveller[]> {
  const addresses = await loopbackAddresses(2, people.length)
  return Promise.all(
    people.map(async (person, i) => ({
      ...person,
      tracer: await createTracer({
        federation: manifest,
        core,
        clock,
        storage: await levelStorage(join(dir, 'people', String(i))),
        dialer: libp2pDialer({ localAddress: addresses[i]! }),
        random: systemRandom,
        acceptUnknownAccuracy: true,
        ...(redaction ? {} : { redaction: false }),
      }),
      next: 0,
      results: [],
      recorded: { taken: 0, refused: {} },
    })),
  )
}

/** Records the fixes until `at`, then syncs, or reports when a report code is given. */
export async function liveUntil(at: number, traveller: Traveller, code?: string): Promise<void> {
  const { fixes, tracer, results, recorded } = traveller
  for (; traveller.next < fixes.length && fixes[traveller.next]!.at <= at; traveller.next++) {
    const result = await tracer.record(fixes[traveller.next]!)
    if (result.accepted) recorded.taken++
    else recorded.refused[result.reason] = (recorded.refused[result.reason] ?? 0) + 1
  }
  results.push(code === undefined ? await tracer.sync() : await tracer.report(code))
}

/** Syncs hour by hour until everybody has deposited all rows and read all marks that follow from them. */
export async function marksOf(
  travellers: readonly Traveller[],
  clock: SimulatedClock,
  central: Pick<CentralPeer, 'settled'>,
): Promise<void> {
  let left = [...travellers]
  for (let hour = 0; left.length > 0 && hour < LAST_HOURS_MAX; hour++) {
    const at = nextHour(clock.now())
    await clock.jumpTo(at)
    // The hour is over at once here, and the central peer computes in the background.
    await central.settled()
    await Promise.all(left.map((traveller) => liveUntil(at, traveller)))
    const isQuiet = travellers.every(({ results }) => results.at(-1)!.rowsDeposited === 0)
    left = isQuiet ? left.filter(({ results }) => results.at(-1)!.marksLeft > 0) : [...travellers]
  }
}
