/**
 * The steps of a central peer that is killed again and again: deposits, closings, reports, withdrawals, computations and
 * retention. A step follows from its number, so that the test knows what the killed process did.
 */
import { createHash } from 'node:crypto'
import { simulatedClock } from '@geotrace/core-wasm'
import { EPOCH_MS, type Row } from '@geotrace/core-wasm/wire'
import { toCentralConfig } from '../../src/central/config.ts'
import { type RiskEngine, riskEngine } from '../../src/central/risk/risk-engine.ts'
import { type RiskProfile, SEED_PROFILE } from '../../src/central/risk/risk-profile.ts'
import type { CentralStore, ReportRecord } from '../../src/central/store/central-store.ts'
import { epochToDay } from '../../src/central/store/day.ts'
import { silent } from '../../src/platform/log.ts'
import { deposit, group, id, row } from '../central/store/sample.ts'

export const PEOPLE = [0, 1, 2, 3, 4, 5]
/** People 0 and 1 report. */
const REPORTERS = 2
export const FIRST_EPOCH = 18 * 20_000
export const UNTIL = FIRST_EPOCH + 5_000
export const PROFILE: RiskProfile = { ...SEED_PROFILE, degrees: 3, chainMinutes: 80 }
const STEPS_PER_EPOCH = 6
const KEPT_DAYS = 3
const FILLERS = 20
const SIZES = [5, 10, 20, 40, 80]
/** Few marks in memory, so that a computation writes and keeps its place many times. */
const LIMITS = { marks: 6 }

type Content = { epoch: number; rows: Row[] }
export type Step = { n: number; epoch: number; day: number } & (
  | { kind: 'deposit'; person: number; groups: Content[] }
  | { kind: 'report'; person: number; from: number }
  | { kind: 'withdraw'; person: number }
  | { kind: 'close' | 'compute' | 'drop' }
)

export function toStep(seed: number, n: number): Step {
  const dice = createHash('sha256').update(`${seed}/${n}`).digest()
  const [kind, who, a, b, c] = dice as unknown as [number, number, number, number, number]
  const epoch = FIRST_EPOCH + Math.floor(n / STEPS_PER_EPOCH)
  const common = { n, epoch, day: epochToDay(epoch) }
  const turn = kind % 16
  if (turn === 11)
    return { ...common, kind: 'report', person: who % REPORTERS, from: Math.max(FIRST_EPOCH, epoch - (a % 20)) }
  if (turn === 12 && who % 3 === 0) return { ...common, kind: 'withdraw', person: a % REPORTERS }
  if (turn === 13) return { ...common, kind: 'compute' }
  if (turn === 14) return { ...common, kind: 'close' }
  if (turn === 15) return { ...common, kind: 'drop' }
  const groups = [Math.max(FIRST_EPOCH, epoch - 1 - (a % 2)), epoch].map((at, i) => {
    const own = Array.from({ length: FILLERS }, (_, k) => row(`${seed}/${n}/${i}/${k}`))
    // Now and then somebody is where others are.
    const spot = (b + i) % 3
    if ((c >> i) % 2 === 0) own.push(row(`${seed}/${at}/${spot}`, 1 + (dice[6 + i]! % 3), SIZES[spot]!))
    return { epoch: at, rows: own }
  })
  return {
    ...common,
    kind: 'deposit',
    person: who % PEOPLE.length,
    groups: groups[0]!.epoch === epoch ? [groups[1]!] : groups,
  }
}

export interface Peer {
  readonly store: CentralStore
  readonly risk: RiskEngine
  readonly users: readonly number[]
}

export async function startPeer(store: CentralStore, { epoch, day }: Step): Promise<Peer> {
  const users: number[] = []
  for (const person of PEOPLE) users.push(await store.addUser(id(person), 1, day))
  const clock = simulatedClock(epoch * EPOCH_MS)
  const config = toCentralConfig({ profile: PROFILE, breakerPeople: 1_000 }, { parameters: { retentionDays: 14 } })
  const risk = riskEngine({ store, config, clock, log: silent, stopwatch: () => 0, limits: LIMITS })
  await risk.start()
  return { store, risk, users }
}

export async function take({ store, risk, users }: Peer, step: Step): Promise<void> {
  const { n, day, epoch } = step
  const known = async (user: number) =>
    (await store.reports()).findLast((item) => item.user === user && item.state === 'active')
  const change = async (user: number, report: ReportRecord) => {
    await store.deposit(deposit(user, n, [], { day, reports: [report] }))
    risk.add(report)
  }
  if (step.kind === 'deposit') {
    const user = users[step.person]!
    const groups = step.groups.map((item) => group(item.epoch, ...item.rows))
    await store.deposit(deposit(user, n, groups, { day }))
    risk.deposited(user, groups)
  } else if (step.kind === 'report') {
    const user = users[step.person]!
    const fresh = async () => ({ id: await store.nextReport(), user, at: epoch * EPOCH_MS, until: UNTIL })
    await change(user, { ...((await known(user)) ?? (await fresh())), from: step.from, state: 'active' })
  } else if (step.kind === 'withdraw') {
    const report = await known(users[step.person]!)
    if (report !== undefined) await change(report.user, { ...report, state: 'retracted' })
  } else if (step.kind === 'close') {
    for (const at of await store.epochs()) if (at < epoch) await store.closeEpoch(at)
  } else {
    await risk.settled()
    if (step.kind === 'drop') await risk.exclusive(async () => void (await store.dropBefore(day - KEPT_DAYS)))
  }
}
