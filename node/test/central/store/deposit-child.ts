/** Deposits until it is killed: `dir from seed`. Says `r` when it begins and `a N` when sync N is acknowledged. */
import { writeSync } from 'node:fs'
import { levelStore } from '../../../src/central/store/level-store.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { childDeposit } from './child-deposit.ts'
import { id } from './sample.ts'

const [dir, from] = process.argv.slice(3) as [string, string]
const store = await levelStore({ dir, random: systemRandom })
const user = await store.addUser(id('killed'), 1)
writeSync(1, 'r\n')
/** Several at once, so that a kill meets groups of commits. */
const LANES = 4
await Promise.all(
  Array.from({ length: LANES }, async (_, lane) => {
    for (let n = Number(from) + lane; ; n += LANES) {
      const outcome = await store.deposit(childDeposit(user, n))
      writeSync(1, `${outcome === 'stored' ? 'a' : 'd'} ${n}\n`)
    }
  }),
)
