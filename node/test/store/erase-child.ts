/** Erases a user and may be killed in the middle: `dir`. Says `r` when it begins and `e` when it is done. */
import { writeSync } from 'node:fs'
import { systemRandom } from '../../src/random.ts'
import { levelStore } from '../../src/store/level-store.ts'
import { id } from './sample.ts'

const store = await levelStore({ dir: process.argv[3]!, random: systemRandom })
writeSync(1, 'r\n')
await store.eraseUser(id('killed'))
writeSync(1, 'e\n')
await store.close()
process.exit(0)
