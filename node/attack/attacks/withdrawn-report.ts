/**
 * A17: a withdrawn report. A resident reports, its contacts are marked, and it withdraws. The marks of all users are read
 * from a copy of the database before the report, after it, and after the withdrawal. PROTOCOL.md §8.
 */
import { join } from 'node:path'
import type { Attack, Figure, NotRun } from '../lab/attack.ts'
import { stealMarks } from '../lab/database.ts'
import { patiently } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import type { Inhabitant } from '../lab/residents.ts'
import { FIX_MS } from '../lab/scene.ts'

export const withdrawnReport: Attack = {
  name: 'A17',
  title: 'A report that was withdrawn leaves a trace in the marks of other users',
  attacker: 'the marks of all users in the database, before a report and after it was withdrawn',
  meaning: 'The users whose marks differ from those of a run without the report.',
  limit:
    'A phone that synced in between has shown the warning, and its owner remembers it. The generation of the marks rises, so a user knows that something changed. The central peer knows who reported and withdrew.',
  isQuick: true,
  run: withdraw,
}

async function withdraw(lab: Lab): Promise<Figure | NotRun> {
  const { federation, dir, clock } = lab
  const reporter = mostMet(lab)
  if (reporter === undefined) return { notRun: 'nobody met anybody in this hour' }
  const before = await stealMarks(dir, join(dir, 'marks-before'), clock)
  const [code] = (await federation.central.issueCodes({ count: 1, days: 1 })).codes
  await patiently(() => reporter.tracer.report(code!))
  await federation.central.settled()
  const reported = await stealMarks(dir, join(dir, 'marks-reported'), clock)
  await patiently(() => reporter.tracer.withdraw('withdrawn'))
  await federation.central.settled()
  const after = await stealMarks(dir, join(dir, 'marks-after'), clock)
  const differ = (a: readonly string[][], b: readonly string[][]): number =>
    a.filter((marks, i) => marks.join() !== b[i]!.join()).length
  const [value, marked] = [differ(after, before), differ(reported, before)]
  const more = { users: before.length, 'users with other marks while the report stood': marked }
  const gate = { rule: 'some users while the report stands, exactly 0 afterwards', holds: marked > 0 && value === 0 }
  return { value, unit: 'users with other marks', gate, more }
}

/** The resident who was in a cell with the most others at one time; nobody when no two met. The first one reports in A7. */
function mostMet({ core, residents }: Lab): Inhabitant | undefined {
  const visits = residents.map(
    ({ fixes }) =>
      new Set(
        fixes.flatMap(({ lat, lng, at }) =>
          core.fixToCells(lat, lng).map((cell) => `${Math.floor(at / FIX_MS)}/${cell}`),
        ),
      ),
  )
  const meets = (a: number, b: number): boolean => a !== b && [...visits[a]!].some((visit) => visits[b]!.has(visit))
  const counts = residents.map((_, i) => residents.filter((_other, j) => meets(i, j)).length)
  counts[0] = 0
  const most = Math.max(...counts)
  return most === 0 ? undefined : residents[counts.indexOf(most)]
}
