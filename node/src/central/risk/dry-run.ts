/** Counts what the risk rule would mark, degree by degree, and writes nothing. PROTOCOL.md §8. Throws ABORTED. */
import { isFederationError } from '@geotrace/core-wasm/wire'
import { type RiskRun, reportToMarks } from './risk.ts'

export interface RiskSummary {
  /** Number of users marked at degree 1, 2 and so on. */
  readonly degrees: readonly number[]
  readonly marks: number
  /** A degree exceeds the bounds of a computation (limits.ts), so it and the higher ones are not counted. */
  readonly capped: boolean
}

export async function countMarks(run: RiskRun): Promise<RiskSummary> {
  const { profile } = run
  for (let { degrees } = profile; degrees > 0; ) {
    try {
      return {
        ...(await countDegrees({ ...run, profile: { ...profile, degrees } })),
        capped: degrees < profile.degrees,
      }
    } catch (error) {
      if (!isFederationError(error, 'RISK_BOUND')) throw error
      degrees = error.data.degree - 1
    }
  }
  return { degrees: [], marks: 0, capped: true }
}

async function countDegrees(run: RiskRun): Promise<Omit<RiskSummary, 'capped'>> {
  let degrees: number[] = []
  let marks = 0
  for await (const batch of reportToMarks(run)) {
    for (const user of batch.users()) marks += batch.count(user)
    degrees = addPeople(degrees, batch.people())
  }
  return { degrees, marks }
}

/** The sum of people by degree. */
export function addPeople(a: readonly number[], b: readonly number[]): number[] {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? 0) + (b[i] ?? 0))
}
