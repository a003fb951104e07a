/**
 * The replay itself: people's fixes as events on a simulated clock. A person syncs at the next full hour after a fix. The
 * report goes with the reporter's first sync after the last fix, or at the given time, and everybody syncs right after the
 * report.
 */
import { join } from 'node:path'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { DAY_MS, DEFAULT_PARAMETERS, HOUR_MS } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '../../local/local-federation.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import type { Output } from '../terminal/output.ts'
import type { SaltingParameters } from '../terminal/salting.ts'
import type { Person } from './people.ts'
import { type ReplayResult, summarise } from './result.ts'
import { nextHour, nextSync, periodAround, schedule } from './schedule.ts'
import { equip, liveUntil, marksOf, type Traveller } from './travellers.ts'

interface Simulation {
  people: readonly Person[]
  report: string
  at?: number
  degrees: number
  redaction: boolean
  salting: SaltingParameters
  dir: string
  out: Output
}

/** One founding with its reserve governs at most 65,000 epochs, and deposits are kept for at most 3,660 days. */
const DAYS_MAX = 3_600
/** The report code must outlive the tracks. */
const CODE_DAYS = 3_660

export async function simulate(init: Simulation): Promise<ReplayResult> {
  const { people, report, degrees, redaction, dir, out } = init
  const { clock, federation } = await found(init)
  const { manifest, core, central } = federation
  const travellers = await equip({ people, dir, redaction, manifest, core, clock })
  try {
    await live(init, { travellers, federation, clock })
    await marksOf(travellers, clock, central)
    const head = { reporter: report, degrees, people: people.length }
    const result = await summarise(travellers, central.status().riskMs, head)
    if (redaction && result.riskHashes === 0) {
      out.note('Nothing was deposited: the clients hold all hashes until they know the homes. Try --no-redaction.')
    }
    return result
  } finally {
    await Promise.all(travellers.map(({ tracer }) => tracer.close()))
    await federation.stop()
  }
}

interface World {
  travellers: readonly Traveller[]
  federation: LocalFederation
  clock: SimulatedClock
}

/** Lets everybody live through all their fixes, and the reporter report. */
async function live(init: Simulation, { travellers, federation, clock }: World): Promise<void> {
  const syncs = schedule<Traveller>()
  for (const traveller of travellers) for (const fix of traveller.fixes) syncs.add(nextHour(fix.at), traveller)
  const reporter = travellers.find(({ id }) => id === init.report)!
  const others = travellers.filter((item) => item !== reporter)
  const reportAt = init.at ?? nextHour(reporter.fixes.at(-1)!.at)
  syncs.add(reportAt, reporter)
  const [code] = (await federation.central.issueCodes({ count: 1, days: CODE_DAYS })).codes
  for (let turn = syncs.next(); turn !== undefined; turn = syncs.next()) {
    const { at, due } = turn
    await clock.jumpTo(at)
    const time = new Date(at).toISOString().slice(0, 16)
    init.out.progress(`${time}  ${syncs.size} hours left, ${due.length} people syncing`)
    const isReport = (traveller: Traveller) => at === reportAt && traveller === reporter
    await Promise.all(due.map((traveller) => liveUntil(at, traveller, isReport(traveller) ? code : undefined)))
    if (at === reportAt) await Promise.all(others.map((traveller) => liveUntil(at, traveller)))
    for (const traveller of due) {
      const again = nextSync(at, traveller.results.at(-1)!)
      if (again !== undefined) syncs.add(again, traveller)
    }
  }
}

/** Founds the federation an hour before the first fix. One roster serves the whole replay, which is about people. */
async function found({
  people,
  dir,
  degrees,
  out,
  ...init
}: Simulation): Promise<{ clock: SimulatedClock; federation: LocalFederation }> {
  const first = Math.min(...people.map(({ fixes }) => fixes[0]!.at))
  const last = Math.max(...people.map(({ fixes }) => fixes.at(-1)!.at), init.at ?? 0)
  const clock = simulatedClock(first - HOUR_MS)
  const days = Math.ceil((last - first) / DAY_MS) + 3
  if (days > DAYS_MAX) {
    invalidCommand(`expected tracks of at most ${DAYS_MAX} days, got ${days} days`, 'replay them in parts')
  }
  if (init.at === undefined) {
    out.note(
      `Deposits are kept for ${days} days here to span the tracks (with --at TIME: ${DEFAULT_PARAMETERS.retentionDays} days).`,
    )
  }
  const parameters = {
    ...init.salting,
    periodEpochs: periodAround(clock.now(), days),
    reserveEpochs: 1,
    ...(init.at === undefined && { retentionDays: days }),
  }
  out.progress('founding the federation …')
  return { clock, federation: await startFederation({ dir: join(dir, 'federation'), clock, degrees, parameters }) }
}
