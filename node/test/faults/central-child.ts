/** Takes steps until the test kills this process. Arguments: `dir seed from`. Prints the number of each step that ended. */
import { writeSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { startPeer, take, toStep } from './central-steps.ts'

const [dir, seed, from] = process.argv.slice(2) as [string, string, string]
const store = await levelStore({ dir, random: systemRandom, clock: systemClock() })
const peer = await startPeer(store, toStep(Number(seed), Number(from)))
for (let n = Number(from); ; n++) {
  await take(peer, toStep(Number(seed), n))
  writeSync(1, `${n}\n`)
}
