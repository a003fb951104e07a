/** Erases a user; the test may kill this process meanwhile. Argument: `dir`. Prints `r` at the beginning and `e` at the end. */
import { writeSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { levelStore } from '../../../src/central/store/level-store.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { id } from './sample.ts'

const store = await levelStore({ dir: process.argv[3]!, random: systemRandom, clock: systemClock() })
writeSync(1, 'r\n')
await store.eraseUser(id('killed'))
writeSync(1, 'e\n')
await store.close()
process.exit(0)
