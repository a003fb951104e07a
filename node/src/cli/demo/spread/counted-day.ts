/**
 * One period of a spread in a federation of this process. Its clock begins on the day before, and ends at the present. All peers, devices, syncs and counts are real. Throws PEER_UNREACHABLE.
 */
import { createTracer, memoryStorage } from '@geotrace/client'
import { libp2pDialer } from '@geotrace/client/node'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { DAY_MS, FederationError, HOUR_MS, MINUTE_MS, type Spread } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '../../../local/local-federation.ts'
import { loopbackAddresses } from '../../../local/loopback.ts'
import type { SpreadTable } from '../../../membership/spread-table.ts'
import { systemRandom } from '../../../platform/random.ts'
import { periodAround } from '../../replay/schedule.ts'
import { AREA, inventFixes } from './people.ts'

/** Cells of some 36 km²: 300 people are too few for smaller ones. */
const SPREAD = { areas: [AREA], resolution: 6, periodDays: 1, minimum: 50, epsilon: 1_000 }
/** The counting takes minutes of the simulated clock. */
const COUNTING_MS = 2 * HOUR_MS
/** One roster serves the day and this long afterwards. */
const DAYS_SERVED = 30
/** Devices that report at the same time. */
const AT_ONCE = 8
const STEPS_MAX = 600
const STEP_MS = 100

export interface CountedDay {
  readonly federation: LocalFederation
  readonly clock: SimulatedClock
  readonly period: number
  readonly rule: SpreadRule
  readonly spread: Spread
}
interface CountedDayInit {
  dir: string
  people: number
  nowMs: number
  say(progress: string): void
  /** Called at once, so that the caller can stop a federation whose day fails. */
  onFederation(federation: LocalFederation): void
}

export async function countDay({ dir, people, nowMs, say, onFederation }: CountedDayInit): Promise<CountedDay> {
  const period = Math.floor((nowMs - COUNTING_MS) / DAY_MS) - 1
  // The roster of the day before rules the period, so it must be there when that day begins.
  const clock = simulatedClock((period - 1) * DAY_MS + 30 * MINUTE_MS)
  const reserve = { periodEpochs: periodAround(clock.now(), DAYS_SERVED), reserveEpochs: 126 }
  say('founding the federation …')
  const federation = await startFederation({ dir, clock, parameters: { ...reserve, spread: SPREAD } })
  onFederation(federation)
  const tables = (): SpreadTable[] =>
    [...federation.saltNodes, federation.central].flatMap((peer) => peer.membership()?.pool.spreads ?? [])
  const rule = tables()[0]!.ruleOf(period)!
  const roles = [rule.mixer, rule.teller]
  say('the mixer and the teller announce their keys …')
  await pass(clock, () => tables().every((table) => roles.every(({ key }) => table.keyOf(period, key) !== undefined)))
  await clock.jumpTo(period * DAY_MS + DAY_MS / 2)
  await report(federation, clock, people, say)
  say('the period is over: mixing, counting …')
  await clock.jumpTo((period + 1) * DAY_MS + 1)
  await pass(clock, () => tables().every((table) => table.spreadOf(period) !== undefined))
  await clock.jumpTo(Math.max(clock.now(), nowMs))
  return { federation, clock, period, rule, spread: tables()[0]!.spreadOf(period)! }
}

/** Each person imports two weeks, agrees to the spread and reports with a code of their own. */
async function report(
  { manifest, core, central }: LocalFederation,
  clock: SimulatedClock,
  people: number,
  say: (progress: string) => void,
): Promise<void> {
  const { codes } = await central.issueCodes({ count: people, days: 1 })
  const addresses = await loopbackAddresses(2, people)
  let done = 0
  const live = async (i: number): Promise<void> => {
    const dialer = libp2pDialer({ localAddress: addresses[i]! })
    const shared = { federation: manifest, core, clock, random: systemRandom, dialer }
    // The places have no homes to hide.
    const tracer = await createTracer({ ...shared, storage: memoryStorage(), redaction: false })
    try {
      await tracer.importHistory(inventFixes(clock.now(), systemRandom))
      await tracer.consent.give('spread')
      await tracer.report(codes[i]!)
    } finally {
      await tracer.close()
    }
    say(`${++done} of ${people} people have reported`)
  }
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < people; i = next++) await live(i)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Lets simulated minutes pass until something holds. Throws PEER_UNREACHABLE when it does not come. */
async function pass(clock: SimulatedClock, done: () => boolean): Promise<void> {
  for (let i = 0; i < STEPS_MAX; i++) {
    if (done()) return
    await new Promise((resolve) => setTimeout(resolve, STEP_MS))
    // A slow machine gets more real time for each simulated minute.
    if (i % 5 === 4) await clock.advanceTo(clock.now() + MINUTE_MS)
  }
  throw new FederationError('PEER_UNREACHABLE', 'the peers of the demo did not answer in time; run it again', {
    tried: 6,
  })
}
