/** The result of a replay: counters, and everybody who is marked with their exposures. */
import type { Exposure, RefusalReason, SyncResult } from '@geotrace/client'
import type { RecordSum } from './receipt.ts'
import type { Traveller } from './travellers.ts'

export interface Marked {
  id: string
  degree: number
  /** Distinct risk hashes of this person's current blocks that the other person had as current … */
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
  /** Fixes that the diaries took or refused, after the import. */
  recorded: RecordSum
  riskHashes: number
  saltRequests: number
  /** Elements with their padding that each of the answering replicas evaluated; 0 under plain salting. */
  evaluations: number
  marked: Marked[]
  /** Time in each phase, summed over people. People sync at the same time, so the sum exceeds the elapsed time. */
  seconds: { hash: number; salt: number; deposit: number; risk: number }
}

/** `riskMs` is the time that the central peer spent on risk. */
export async function summarise(
  travellers: readonly Traveller[],
  riskMs: number,
  head: Pick<ReplayResult, 'reporter' | 'degrees' | 'people'>,
): Promise<ReplayResult> {
  const all = travellers.flatMap(({ results }) => results)
  const sum = (pick: (result: SyncResult) => number) => all.reduce((total, result) => total + pick(result), 0)
  const marked = await Promise.all(travellers.map(describe))
  return {
    ...head,
    fixes: sum((result) => result.fixesHashed),
    recorded: sumRecorded(travellers),
    riskHashes: sum((result) => result.hashesNew),
    saltRequests: sum((result) => result.saltRequests),
    evaluations: sum((result) => result.evaluationsPadded),
    marked: marked.filter(({ degree }) => degree > 0),
    seconds: {
      hash: seconds(sum(({ spentMs }) => spentMs.hash)),
      salt: seconds(sum(({ spentMs }) => spentMs.salt)),
      deposit: seconds(sum(({ spentMs }) => spentMs.deposit)),
      risk: seconds(riskMs),
    },
  }
}

function sumRecorded(travellers: readonly Traveller[]): RecordSum {
  const sum: RecordSum = { taken: 0, refused: {} }
  for (const { recorded } of travellers) {
    sum.taken += recorded.taken
    for (const [reason, count] of Object.entries(recorded.refused) as [RefusalReason, number][]) {
      sum.refused[reason] = (sum.refused[reason] ?? 0) + count
    }
  }
  return sum
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

function seconds(ms: number): number {
  return Math.round(ms) / 1000
}
