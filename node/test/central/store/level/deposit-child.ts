/**
 * Deposits and closes epochs until the test kills this process. Arguments: `dir from`. Prints `r` at the beginning, `a N` when sync N was
 * stored and `d N` when sync N was a duplicate.
 */
import { writeSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { id } from '../sample.ts'
import { childDeposit } from './child-deposit.ts'

const [dir, from] = process.argv.slice(2) as [string, string]
const store = await levelStore({ dir, random: systemRandom, clock: systemClock() })
const user = await store.addUser(id('killed'), 1, 100)
writeSync(1, 'r\n')
/** Deposits at the same time, so that a kill interrupts writes that share one sync of the disk. */
const LANES = 4
await Promise.all(
  Array.from({ length: LANES }, async (_, lane) => {
    for (let n = Number(from) + lane; ; n += LANES) {
      const outcome = await store.deposit(childDeposit(user, n))
      if (n % 16 === 0) await store.closeEpoch(childDeposit(user, n).groups[0]!.epoch)
      writeSync(1, `${outcome === 'stored' ? 'a' : 'd'} ${n}\n`)
    }
  }),
)
