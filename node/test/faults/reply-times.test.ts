/**
 * Whether the time of a reply tells a report from an ordinary sync. PROTOCOL.md §8. Devices with equal rows sync in random
 * order; half of them report. The area under the curve is the chance that a guess by the time alone is right. FAULTS_REPLIES
 * sets the number of replies in each phase.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { expect, it } from 'vitest'
import { levelStore } from '../../src/central/store/level-store.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { RELAY, START, world } from '../central/world.ts'

const REPLIES = Number(process.env.FAULTS_REPLIES ?? 20_000)
const LANES = 16
/** A user may have 48 of one size in an epoch. */
const ROWS = 40

interface Timed {
  readonly isReport: boolean
  readonly ms: number
}

// A known gap: a report takes longer than an ordinary sync. The test turns red when the gap is closed.
it.fails(`the times of ${REPLIES} replies do not tell which belong to reports, outside computations and beside them`, async () => {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-replies-'))
  const clock = simulatedClock(START)
  const store = await levelStore({ dir: join(root, 'store'), random: systemRandom, clock })
  const bounds = { newUsersPerRelay: 1_000_000 }
  const w = await world({ store, clock, config: bounds })
  try {
    for (const phase of ['outside', 'beside'] as const) {
      const codes: string[] = []
      for (let n = 0; n < REPLIES / 2; n += 10_000)
        codes.push(...(await w.codes.issue({ count: Math.min(10_000, REPLIES / 2 - n), days: 1 })))
      // All are known users before, as most devices are.
      const devices = Array.from({ length: REPLIES }, (_, n) => ({ device: w.device(), code: codes[n >> 1]!, n }))
      await inLanes(devices, ({ device }) =>
        w.service.answer(device.frame({ rows: { [w.epoch() - 9]: ['begin'] } }), RELAY),
      )
      const frames = devices.map(({ device, code, n }) => {
        const rows = { [w.epoch() - 1]: Array.from({ length: ROWS }, (_, i) => `${phase}/${n}/${i}`) }
        const isReport = n % 2 === 0
        return { isReport, frame: device.frame({ rows, ...(isReport && { code }) }) }
      })
      shuffle(frames)
      let isOver = phase === 'outside'
      const computing = (async () => {
        while (!isOver) {
          await w.risk.settled()
          await new Promise((resolve) => setImmediate(resolve))
        }
      })()
      const timed: Timed[] = []
      await inLanes(frames, async ({ frame, isReport }) => {
        const startedMs = performance.now()
        await w.service.answer(frame, RELAY)
        timed.push({ isReport, ms: performance.now() - startedMs })
      })
      isOver = true
      await computing
      const area = areaUnderCurve(timed)
      process.stdout.write(`${phase} computations: AUC ${area.toFixed(3)}\n`)
      expect(Math.abs(area - 0.5)).toBeLessThanOrEqual(0.02)
    }
  } finally {
    await w.risk.stop()
    await store.close()
    await rm(root, { recursive: true })
  }
})

/** The chance that a random report took longer than a random ordinary sync; equal times count half. */
function areaUnderCurve(timed: readonly Timed[]): number {
  const sorted = [...timed].sort((a, b) => a.ms - b.ms)
  let [syncs, wins] = [0, 0]
  for (const { isReport } of sorted) isReport ? (wins += syncs) : syncs++
  return wins / (syncs * (sorted.length - syncs))
}

function shuffle<T>(items: T[]): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor((systemRandom(4).reduce((all, byte) => all * 256 + byte, 0) / 2 ** 32) * (i + 1))
    ;[items[i], items[j]] = [items[j]!, items[i]!]
  }
}

async function inLanes<T>(items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) await task(items[next++]!)
  }
  await Promise.all(Array.from({ length: LANES }, lane))
}
