/** A local federation on a simulated clock whose central peer a test stops, looks into and starts again. */
import { join } from 'node:path'
import type { SimulatedClock } from '@geotrace/core-wasm'
import { DEMO_PHRASE, demoSecret, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { type CentralPeer, centralPeer } from '../../src/central/peer.ts'
import type { CentralStore } from '../../src/central/store/central-store.ts'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { DEMO_AUTHORITY } from '../../src/local/local-federation.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { LocalFederation } from '../../src/testing/index.ts'

/** The central peer of a local federation, as it starts again on its directory. */
export function centralAgain({ manifest }: LocalFederation, dir: string, clock: SimulatedClock): CentralPeer {
  return centralPeer({
    ...{ manifest, dir, clock, random: systemRandom, log: silent },
    secret: demoSecret(DEMO_PHRASE, `peer/${DEMO_AUTHORITY}`),
    operatorSecret: demoSecret(DEMO_PHRASE, `operator/${DEMO_AUTHORITY}`),
    localAddress: manifest.central.addresses[0]!.split('/')[2]!,
  })
}

/** The store of a central peer that has stopped. */
export function storeOf(centralDir: string, clock: SimulatedClock): Promise<CentralStore> {
  const files = { dir: join(centralDir, 'store'), erasedPath: join(centralDir, 'erased-users') }
  return levelStore({ ...files, random: systemRandom, clock, founding: 'never' })
}

/** Lets simulated minutes pass until something holds, with ever more time for the requests between them. */
export async function until(clock: SimulatedClock, done: () => boolean | Promise<boolean>): Promise<void> {
  for (let waitMs = 50; !(await done()); waitMs += 10) {
    if (waitMs > 2_500) throw new Error('what the test waits for did not come')
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    await clock.advanceTo(clock.now() + MINUTE_MS)
  }
}
