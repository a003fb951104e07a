/** The findings of one run of a doctor: printed as soon as they are known, with a summary at the end. Exit code 1 on a problem. */
import type { Output } from '../terminal/output.ts'
import { VERSION } from '../terminal/version.ts'
import { type Finding, findingsToSummary, findingToLines, toFinding } from './finding.ts'

export type Found = (...more: readonly Finding[]) => void

interface FindingList {
  readonly found: Found
  /** Prints the summary. `facts` are the other fields of the JSON. */
  conclude(facts: Readonly<Record<string, unknown>>): void
}

export function findingList(out: Output): FindingList {
  const findings: Finding[] = []
  return {
    found(...more) {
      findings.push(...more)
      for (const line of more.flatMap(findingToLines)) out.line(line)
    },
    conclude(facts) {
      const hasProblem = findings.some(({ severity }) => severity === 'fail')
      out.json({ ok: !hasProblem, version: VERSION, ...facts, findings })
      out.line(findingsToSummary(findings))
      if (hasProblem) out.fails()
    },
  }
}

/** A check that the machine refuses is a problem of its own, so that the other checks still run. */
export async function tried(
  check: string,
  run: () => Finding | readonly Finding[] | undefined | Promise<Finding | readonly Finding[] | undefined>,
): Promise<readonly Finding[]> {
  try {
    return [(await run()) ?? []].flat()
  } catch (error) {
    return [toFinding(check, error)]
  }
}
