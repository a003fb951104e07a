/**
 * Pseudonyms that all deposit the same rows, as many as the bounds allow, meet an honest report. Arguments: `dir users epochs`.
 * Prints the rows, the largest memory without mapped tables, the syncs that were answered during the computation, and the outcome of the report.
 */
import { systemClock } from '@geotrace/core-wasm'
import { BLOCK_SIZES_MIN, bytesToRows, rowsToBytes, timeToEpoch } from '@geotrace/core-wasm/wire'
import { toCentralConfig } from '../../src/central/config.ts'
import { riskEngine } from '../../src/central/risk/risk-engine.ts'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import { silent } from '../../src/platform/log.ts'
import { ownMemory } from '../../src/platform/own-memory.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { deposit, group, id, row } from '../central/store/sample.ts'
import { demoManifest } from '../central/world.ts'

const [dir, usersText, epochsText] = process.argv.slice(2) as [string, string, string]
const [users, epochs] = [Number(usersText), Number(epochsText)]
/** Rows of one size and lag that a user may deposit in an epoch. */
const ROWS_PER_SHAPE = 48
const LANES = 16
const EPOCHS_PER_SYNC = 5
const SYNC_PAUSE_MS = 100

const clock = systemClock()
const last = timeToEpoch(clock.now())
const first = last - epochs + 1
const day = Math.floor(last / 18)
const rowsOf = (epoch: number) =>
  BLOCK_SIZES_MIN.flatMap((size) =>
    [1, 2].flatMap((lags) =>
      Array.from({ length: ROWS_PER_SHAPE }, (_, n) => row(`${epoch}/${size}/${lags}/${n}`, lags, size)),
    ),
  )

let peak = 0
/** MiB of JavaScript at the peak: objects, and buffers outside of the heap. */
let parts: Record<string, number> = {}
const sampling = setInterval(() => {
  const own = ownMemory()
  if (own <= peak) return
  peak = own
  const { heapUsed, heapTotal, arrayBuffers } = process.memoryUsage()
  parts = { heapUsed: heapUsed >> 20, heapTotal: heapTotal >> 20, arrayBuffers: arrayBuffers >> 20 }
}, 20)
const store = await levelStore({ dir, random: systemRandom, clock })
const config = toCentralConfig({}, demoManifest())
const risk = riskEngine({ store, config, clock, log: silent, stopwatch: () => performance.now() })

const all = Array.from({ length: epochs }, (_, i) => first + i)
const groups = all.map((epoch) => group(epoch, ...rowsOf(epoch)))
/** Three hashes of each epoch are those of the reporter. */
const isMet = (_: unknown, n: number) => n % 160 === 0
const reporter = await store.addUser(id('reporter'), 1, day)
for (const [i, { epoch, rows }] of groups.entries())
  await store.deposit(deposit(reporter, i, [{ epoch, rows: rowsToBytes(bytesToRows(rows).filter(isMet)) }], { day }))
let next = 0
const fill = async (): Promise<void> => {
  while (next < users) {
    const n = next++
    const user = await store.addUser(id(`pseudonym ${n}`), 1, day)
    for (let k = 0; k < epochs; k += EPOCHS_PER_SYNC)
      await store.deposit(deposit(user, k, groups.slice(k, k + EPOCHS_PER_SYNC), { day }))
  }
}
await Promise.all(Array.from({ length: LANES }, fill))
const filledPeak = peak
for (const epoch of all.slice(0, -4)) await store.closeEpoch(epoch)

const id1 = await store.nextReport()
const report = { id: id1, user: reporter, at: clock.now(), from: first, until: last, state: 'active' as const }
await store.putReport(report)
let isComputing = true
const answers: number[] = []
const syncing = async (): Promise<void> => {
  const stranger = await store.addUser(id('stranger'), 1, day)
  for (let n = 0; isComputing; n++) {
    const startedMs = performance.now()
    const sync = deposit(stranger, n, [group(last, row(`stranger ${n}`))], { day })
    await store.deposit(sync)
    risk.deposited(stranger, sync.groups)
    answers.push(performance.now() - startedMs)
    await new Promise((resolve) => setTimeout(resolve, SYNC_PAUSE_MS))
  }
}
const during = syncing()
const startedMs = performance.now()
risk.add(report)
await risk.settled()
isComputing = false
await during
clearInterval(sampling)
const marked = (await store.markedUsers(id1)).length
await risk.stop()
const { days, bytes } = await store.statistics()
await store.close()
process.stdout.write(
  JSON.stringify({
    rows: days.reduce((sum, item) => sum + item.rows, 0),
    bytes,
    filledMiB: filledPeak >> 20,
    peakMiB: peak >> 20,
    parts,
    computedS: (performance.now() - startedMs) / 1_000,
    answered: answers.length,
    slowestMs: Math.max(...answers),
    marked,
    quarantined: risk.status.quarantined,
  }),
)
process.exit(0)
