/**
 * Erases the user until the test kills this process, which stands still after some writes. Arguments: `dir writes`.
 * Prints `r` when the store is open and `w` when it stands still.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { type OpenLevel, openLevel } from '../../../../src/platform/level-handle.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { id } from '../sample.ts'

const [dir, writes] = process.argv.slice(2) as [string, string]
let left = Number.POSITIVE_INFINITY
const open: OpenLevel = async (path, settings) => {
  const handle = await openLevel(path, settings)
  return {
    ...handle,
    async write(operations, sync) {
      if (left === 0) await standStill()
      await handle.write(operations, sync)
      if (--left === 0) await standStill()
    },
  }
}
async function standStill(): Promise<void> {
  writeSync(1, 'w\n')
  // A timer keeps the process alive.
  await new Promise((resolve) => setTimeout(resolve, 600_000))
}

const store = await levelStore({ dir, random: systemRandom, clock: systemClock(), open })
writeSync(1, 'r\n')
left = Number(writes)
await store.eraseUser(id('killed'), 100)
