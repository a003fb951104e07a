/**
 * One of two processes of a central peer on PostgreSQL, until the test kills it. Arguments: `name keyPath url speed`. Each
 * deposits all the time; the leader votes once in each period that the clock comes to. Prints `l FENCE` when it leads, `a SYNC`
 * after a deposit, `v PERIOD HASH` after a vote was signed.
 */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { systemClock } from '@geotrace/core-wasm'
import { bytesToHex, isFederationError } from '@geotrace/core-wasm/wire'
import { dutyRoster } from '../../src/central/lease/duty.ts'
import { storeRecords } from '../../src/central/lease/store-records.ts'
import { postgresStore } from '../../src/central/store/postgres/postgres-store.ts'
import { createPledges } from '../../src/membership/agreement/pledges.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { group, id, row } from '../central/store/sample.ts'

const [name, keyPath, url, speed] = process.argv.slice(2) as [string, string, string, string]
const PERIOD_MS = 2_000
/** A clock that runs faster, so that a lease ends sooner. */
const real = systemClock()
const clock = {
  now: () => Math.floor(real.now() * Number(speed)),
  setTimer: (fn: () => void, ms: number) => real.setTimer(fn, ms / Number(speed)),
}
const say = (line: string): void => void writeSync(1, `${line}\n`)
const store = await postgresStore({ urls: [url], keyPath, random: systemRandom, clock: real })
const user = await store.addUser(id(name), 1, 100)
let leads = 0

/** One vote a period, as the voter of a federation gives it; two leaders would want different rosters. */
async function vote(records: ReturnType<typeof storeRecords>, duty: number): Promise<void> {
  const pledges = createPledges(records, 'votes')
  while (leads === duty) {
    const period = Math.floor(real.now() / PERIOD_MS)
    const hash = new Uint8Array(createHash('sha256').update(`${name} ${process.pid} ${period}`).digest())
    try {
      if (await pledges.give(period, hash)) say(`v ${period} ${bytesToHex(hash)}`)
    } catch (error) {
      if (!isFederationError(error)) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const duties = dutyRoster({
  store,
  holder: `${name}-${process.pid}`,
  clock,
  log: silent,
  async take({ leads: isLeader, lease }) {
    leads++
    if (!isLeader || lease === undefined) return
    say(`l ${lease.fence}`)
    void vote(storeRecords(store, lease), leads)
  },
})
await duties.start()
for (;;) {
  const syncId = systemRandom(16)
  const known = { user, syncId, digest: new Uint8Array(32), basis: new Uint8Array(1), day: 100, since: 0, perDay: 1e6 }
  await store.deposit({ ...known, groups: [group(1_800, row(bytesToHex(syncId)))] })
  say(`a ${bytesToHex(syncId)}`)
  await new Promise((resolve) => setTimeout(resolve, 20))
}
