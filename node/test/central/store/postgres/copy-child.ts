/** Copies a level store to database servers, and kills itself after some blobs. Arguments: `dir blobs urls…`. */
import { join } from 'node:path'
import { systemClock } from '@geotrace/core-wasm'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { copyToPostgres } from '../../../../src/central/store/postgres/copy/store-copy.ts'
import { systemRandom } from '../../../../src/platform/random.ts'

const [dir, blobs, ...urls] = process.argv.slice(2) as [string, string, ...string[]]
const shared = { random: systemRandom, clock: systemClock() }
const source = (await levelStore({ dir: join(dir, 'store'), ...shared })).source()
let left = Number(blobs)
const mortal = {
  ...source,
  floor: source.floor,
  async *blobs(day: number) {
    for await (const item of source.blobs(day)) {
      if (left-- <= 0) process.kill(process.pid, 'SIGKILL')
      yield item
    }
  },
}
await copyToPostgres({ source: mortal, urls, keyPath: join(dir, 'database.keys'), ...shared, onPart: () => {} })
