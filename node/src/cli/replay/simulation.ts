/**
 * The replay itself: people's fixes as events on a simulated clock. A person syncs at the next full hour after something
 * entered their outbox; the report goes with the reporter's first sync after their last fix, or at the time given, and
 * everybody syncs right after it.
 */
import { join } from 'node:path'
import { createTracer, type Exposure, type SyncResult, type Tracer } from '@geotrace/client'
import { levelStorage, libp2pDialer } from '@geotrace/client/node'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { DAY_MS, DEFAULT_PARAMETERS, HOUR_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { type LocalFederation, startFederation } from '../../local/local-federation.ts'
import { loopbackAddresses } from '../../local/loopback.ts'
import { systemRandom } from '../../platform/random.ts'
import { invalid } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import type { Person } from './people.ts'

export interface Marked {
  id: string
  degree: number
  /** Distinct risk hashes of this person's current blocks that the other had as current … */
  same: number
  /** … or only as next. */
  trail: number
  exposures: Pick<Exposure, 'from' | 'to' | 'lat' | 'lng' | 'matches'>[]
}
export interface ReplayResult {
  reporter: string
  degrees: number
  people: number
  fixes: number
  riskHashes: number
  saltRequests: number
  marked: Marked[]
  /** Time by phase, summed over people, who sync side by side: more than the wall shows. */
  seconds: { hash: number; salt: number; deposit: number; risk: number }
}
export interface Simulation {
  people: readonly Person[]
  report: string
  at?: number
  degrees: number
  redaction: boolean
  dir: string
  out: Output
}

/** What one founding with its reserve can govern: 65,000 epochs and the longest retention. */
const DAYS_MAX = 3_600
/** The code outlives the tracks. */
const CODE_DAYS = 3_660
/** What is held until a night is known is looked at again half a day later. */
const HELD_MS = 11 * HOUR_MS
/** Hours of further syncs after the last fix in which everybody reads the rest of their marks. */
const LAST_HOURS_MAX = 1_000

/** A person with their device. */
interface Traveller extends Person {
  tracer: Tracer
  /** Index of the first fix that is not recorded yet. */
  next: number
  results: SyncResult[]
}

export async function simulate(init: Simulation): Promise<ReplayResult> {
  const { people, report, degrees, out } = init
  const { clock, federation } = await found(init)
  const travellers = await equip(init, federation, clock)
  try {
    const schedule = new Map<number, Set<Traveller>>()
    const plan = (at: number, traveller: Traveller) => schedule.set(at, (schedule.get(at) ?? new Set()).add(traveller))
    for (const traveller of travellers) for (const fix of traveller.fixes) plan(nextHour(fix.at), traveller)
    const reporter = travellers.find(({ id }) => id === report)!
    const reportAt = init.at ?? nextHour(reporter.fixes.at(-1)!.at)
    plan(reportAt, reporter)
    const [code] = await federation.central.issueCodes({ count: 1, days: CODE_DAYS })
    for (let at = earliest(schedule); at !== undefined; at = earliest(schedule)) {
      const due = [...schedule.get(at)!]
      schedule.delete(at)
      await clock.jumpTo(at)
      out.progress(`${new Date(at).toISOString().slice(0, 16)}  ${schedule.size} hours to come, ${due.length} syncing`)
      await Promise.all(
        due.map((traveller) => liveUntil(at, traveller, at === reportAt && traveller === reporter ? code : undefined)),
      )
      if (at === reportAt)
        await Promise.all(travellers.filter((item) => item !== reporter).map((item) => liveUntil(at, item)))
      for (const traveller of due) {
        const wait = untilNextSync(traveller.results.at(-1)!)
        if (wait !== undefined) plan(nextHour(at) + wait, traveller)
      }
    }
    await readMarks(travellers, clock)
    const result = await summarise(travellers, federation, { reporter: report, degrees, people: people.length })
    if (init.redaction && result.riskHashes === 0) {
      out.note(
        'nothing was deposited: no home was learnt, and until one is known everything is held back (--no-redaction)',
      )
    }
    return result
  } finally {
    await Promise.all(travellers.map(({ tracer }) => tracer.close()))
    await federation.stop()
  }
}

/** The federation stands an hour before the first fix. One roster serves it from end to end: a replay is about people. */
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
  if (days > DAYS_MAX) invalid(`the tracks span ${days} days; one replay holds ${DAYS_MAX}: replay them apart`)
  if (init.at === undefined) {
    out.note(
      `retention is ${days} days here so that it spans the tracks (with --at TIME it is ${DEFAULT_PARAMETERS.retentionDays})`,
    )
  }
  const parameters = {
    periodEpochs: periodAround(clock.now(), days),
    reserveEpochs: 1,
    ...(init.at === undefined && { retentionDays: days }),
  }
  out.progress('founding the federation …')
  return { clock, federation: await startFederation({ dir: join(dir, 'federation'), clock, degrees, parameters }) }
}

/** The shortest period without a boundary in these days and the hours before them, so that no later roster begins. */
function periodAround(fromMs: number, days: number): number {
  const [first, last] = [timeToEpoch(fromMs - DAY_MS), timeToEpoch(fromMs + days * DAY_MS)]
  let period = last - first
  while (Math.floor(first / period) !== Math.floor(last / period)) period++
  return period
}

async function equip(
  init: Simulation,
  { manifest, core }: LocalFederation,
  clock: SimulatedClock,
): Promise<Traveller[]> {
  const addresses = await loopbackAddresses(2, init.people.length)
  return Promise.all(
    init.people.map(async (person, i) => ({
      ...person,
      tracer: await createTracer({
        federation: manifest,
        core,
        clock,
        storage: await levelStorage(join(init.dir, 'people', person.id)),
        dialer: libp2pDialer({ localAddress: addresses[i]! }),
        random: systemRandom,
        acceptUnknownAccuracy: true,
        ...(init.redaction ? {} : { redaction: false }),
      }),
      next: 0,
      results: [],
    })),
  )
}

/** Records what happened until `at`, then syncs or reports. */
async function liveUntil(at: number, traveller: Traveller, code?: string): Promise<void> {
  const { fixes, tracer, results } = traveller
  for (; traveller.next < fixes.length && fixes[traveller.next]!.at <= at; traveller.next++) {
    await tracer.record(fixes[traveller.next]!)
  }
  results.push(code === undefined ? await tracer.sync() : await tracer.report(code))
}

/** Extra wait after the next full hour, or undefined when nothing is left in the outbox. */
function untilNextSync({ fixesDeferred, fixesAgain, fixesHeld }: SyncResult): number | undefined {
  if (fixesDeferred + fixesAgain > 0) return 0
  return fixesHeld > 0 ? HELD_MS : undefined
}

/** Scheduled syncs with nothing to deposit, hour by hour, until everybody has read all marks. */
async function readMarks(travellers: readonly Traveller[], clock: SimulatedClock): Promise<void> {
  let left = [...travellers]
  for (let hour = 0; left.length > 0 && hour < LAST_HOURS_MAX; hour++) {
    const at = nextHour(clock.now())
    await clock.jumpTo(at)
    await Promise.all(left.map((traveller) => liveUntil(at, traveller)))
    left = left.filter(({ results }) => results.at(-1)!.marksLeft > 0)
  }
}

async function summarise(
  travellers: readonly Traveller[],
  { central }: LocalFederation,
  head: Pick<ReplayResult, 'reporter' | 'degrees' | 'people'>,
): Promise<ReplayResult> {
  const all = travellers.flatMap(({ results }) => results)
  const sum = (pick: (result: SyncResult) => number) => all.reduce((total, result) => total + pick(result), 0)
  const marked = await Promise.all(travellers.map(describe))
  return {
    ...head,
    fixes: sum((result) => result.fixesHashed),
    riskHashes: sum((result) => result.hashesNew),
    saltRequests: sum((result) => result.saltRequests),
    marked: marked.filter(({ degree }) => degree > 0),
    seconds: {
      hash: seconds(sum(({ spentMs }) => spentMs.hash)),
      salt: seconds(sum(({ spentMs }) => spentMs.salt)),
      deposit: seconds(sum(({ spentMs }) => spentMs.deposit)),
      risk: seconds(central.status().riskMs),
    },
  }
}

async function describe({ id, tracer }: Traveller): Promise<Marked> {
  const marks = await tracer.marks()
  const exposures = await tracer.exposures()
  return {
    id,
    degree: marks.length === 0 ? 0 : Math.min(...marks.map((mark) => mark.degree)),
    same: marks.filter((mark) => mark.lag === 0).length,
    trail: marks.filter((mark) => mark.lag === 1).length,
    exposures: exposures.map(({ from, to, lat, lng, matches }) => ({ from, to, lat, lng, matches })),
  }
}

function nextHour(at: number): number {
  return (Math.floor(at / HOUR_MS) + 1) * HOUR_MS
}

function earliest(schedule: ReadonlyMap<number, unknown>): number | undefined {
  return schedule.size === 0 ? undefined : Math.min(...schedule.keys())
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
