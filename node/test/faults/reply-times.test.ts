/**
 * Whether the time of a reply tells a report from an ordinary sync. PROTOCOL.md §8. Devices with equal rows sync in random
 * order; half of them report. The area under the curve is the chance that a guess by the time alone is right. FAULTS_REPLIES
 * sets the number of replies in each phase.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock, systemClock } from '@geotrace/core-wasm'
import { type SealKeys, sealRequest, secretToSealKey } from '@geotrace/core-wasm/seal'
import { manifestToId } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { sealedService } from '../../src/central/sealed/sealed-service.ts'
import { levelStore } from '../../src/central/store/level/level-store.ts'
import type { Peer } from '../../src/membership/peers.ts'
import type { Requester } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'
import { RELAY, START, world } from '../central/world.ts'
import { noTokens } from '../issuer.ts'

const REPLIES = Number(process.env.FAULTS_REPLIES ?? 20_000)
/** Each of them waits for a slot most of the time. */
const LANES = 16
/** The beginnings of many devices share an fsync. */
const BEGINNING_LANES = 48
/** A user may have 48 of one size in an epoch. */
const ROWS = 40
/** Devices that met in one block. If all had met, each report would mark all of them, which is a square of writes. */
const CROWD = 16

interface Timed {
  readonly isReport: boolean
  readonly ms: number
}

it(`the times of ${REPLIES} replies do not tell which belong to reports, outside computations and beside them`, async () => {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-replies-'))
  const clock = simulatedClock(START)
  const store = await levelStore({ dir: join(root, 'store'), random: systemRandom, clock })
  const bounds = { newUsersPerRelay: 1_000_000 }
  const w = await world({ store, clock, config: bounds })
  const secret = systemRandom(32)
  const keys: SealKeys = { secret, key: secretToSealKey(secret) }
  const federation = manifestToId(w.manifest)
  const member: Peer = { key: RELAY, addresses: [], operator: 0, role: 'member' }
  // The slots take the time of the machine.
  const shared = {
    manifest: w.manifest,
    sync: w.service,
    issuance: noTokens,
    timer: systemClock(),
    random: systemRandom,
    log: silent,
  }
  const sealed = sealedService({ ...shared, peers: { withKey: () => member }, keys: () => [keys] })
  let isOver = false
  let computing: Promise<void> | undefined
  /** Computes all reports again and again. */
  const compute = async (): Promise<void> => {
    while (!isOver) {
      for (const report of await store.reports()) w.risk.add(report)
      await w.risk.settled()
    }
  }
  try {
    const areas: number[] = []
    for (const phase of ['outside', 'beside'] as const) {
      const codes: string[] = []
      for (let n = 0; n < REPLIES / 2; n += 10_000)
        codes.push(...(await w.codes.issue({ count: Math.min(10_000, REPLIES / 2 - n), days: 1 })).codes)
      // All are known users before, as most devices are.
      const devices = Array.from({ length: REPLIES }, (_, n) => ({ device: w.device(), code: codes[n >> 1]!, n }))
      await inLanes(BEGINNING_LANES, devices, ({ device, n }) => {
        const rows = { [w.epoch() - 9]: [`${phase}/${Math.floor(n / CROWD)}`] }
        return w.service.answer(device.frame({ rows }), RELAY)
      })
      const frames = devices.map(({ device, code, n }) => {
        const rows = { [w.epoch() - 1]: Array.from({ length: ROWS }, (_, i) => `${phase}/${n}/${i}`) }
        const isReport = n % 2 === 0
        const request = device.frame({ rows, ...(isReport && { code }) })
        return { isReport, frame: sealRequest(keys.key, federation, request, systemRandom).frame }
      })
      shuffle(frames)
      if (phase === 'beside') computing = compute()
      const timed: Timed[] = []
      await inLanes(LANES, frames, async ({ frame, isReport }) => {
        const startedMs = performance.now()
        await sealed.handle(frame, { key: RELAY } as Requester)
        timed.push({ isReport, ms: performance.now() - startedMs })
      })
      const area = areaUnderCurve(timed)
      const times = timed.map(({ ms }) => ms).sort((a, b) => a - b)
      const at = (part: number) => times[Math.floor(part * (times.length - 1))]!.toFixed(1)
      process.stdout.write(
        `${phase} computations: AUC ${area.toFixed(3)}, ms p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)}\n`,
      )
      areas.push(area)
    }
    for (const area of areas) expect(Math.abs(area - 0.5)).toBeLessThanOrEqual(0.02)
  } finally {
    isOver = true
    await w.risk.stop()
    await computing
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

async function inLanes<T>(lanes: number, items: readonly T[], task: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) await task(items[next++]!)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}
