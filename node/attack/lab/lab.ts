/**
 * One federation on loopback under one setting, with people who lived one hour and deposited. Its salt nodes, its central
 * peer and the devices are real, and its clock is simulated. An attack gets it together with what its attacker has.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Core, type Random, type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { type Group, loadGroup } from '@geotrace/core-wasm/voprf'
import { type CertifiedRoster, HOUR_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '../../src/local/local-federation.ts'
import type { Log, LogFields } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { type StoredRow, stealDatabase } from './database.ts'
import { equipResidents, type Inhabitant, liveHour } from './residents.ts'
import type { Scene } from './scene.ts'
import { type DrawnSecrets, drawnSecrets } from './secrets.ts'
import type { Setting } from './settings.ts'

export interface Lab {
  readonly setting: Setting
  readonly world: Scene
  readonly dir: string
  readonly clock: SimulatedClock
  readonly federation: LocalFederation
  readonly certified: CertifiedRoster
  readonly core: Core
  readonly group: Group
  readonly residents: readonly Inhabitant[]
  /** Every row of the central database after the hour. */
  readonly rows: readonly StoredRow[]
  /** The epoch in which everybody lived. */
  readonly epoch: number
  /** The seeds that the salt nodes drew. Only attackers who hold nodes may look. */
  readonly drawn: DrawnSecrets
  /** Every line that the peers logged. */
  readonly log: readonly string[]
  close(): Promise<void>
}

export async function openLab(setting: Setting, world: Scene): Promise<Lab> {
  const dir = await mkdtemp(join(tmpdir(), 'geotrace-attack-'))
  const clock = simulatedClock(world.from - HOUR_MS)
  const drawn = drawnSecrets()
  const seedRandom: Random = (length) => drawn.watch(systemRandom(length))
  const log: string[] = []
  const write = (event: string, fields: LogFields = {}): void => void log.push(`${event} ${JSON.stringify(fields)}`)
  const noted: Log = { info: write, warn: write, error: write }
  const { parameters, tokensPerDay } = setting
  const tokens = tokensPerDay !== undefined && { tokensPerDay }
  const federation = await startFederation({ dir, clock, seedRandom, log: noted, parameters, ...tokens })
  const { manifest, core } = federation
  let residents: readonly Inhabitant[] = []
  const close = async (): Promise<void> => {
    await Promise.all(residents.map(({ tracer }) => tracer.close()))
    await federation.stop()
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    residents = await equipResidents(world.people, { manifest, core, clock })
    await liveHour(residents, clock)
    const rows = await stealDatabase(dir, join(dir, 'stolen'), clock)
    const certified = federation.central.membership()!.rosters.newest!
    const group = await loadGroup()
    const epoch = timeToEpoch(world.from)
    return {
      ...{ setting, world, dir, clock, federation, certified, core, group, residents, rows, epoch },
      drawn,
      log,
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
