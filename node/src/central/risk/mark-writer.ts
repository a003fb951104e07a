/**
 * Writes the marks of one report to the store: adds them, puts them in the place of earlier ones, or removes them.
 * PROTOCOL.md §8. Each user's marks change in one write, and writes of one user never overlap.
 */
import { turns } from '@geotrace/core-wasm'
import { equalBytes, type Mark } from '@geotrace/core-wasm/wire'
import type { CentralStore, MarkList, ReportId, User } from '../store/central-store.ts'
import { dayToFirstEpoch } from '../store/day.ts'
import type { MarkBatch } from './mark-batch.ts'
import { isRaised, mergeMarks, raiseMarks, renewMarks, updateMarks } from './mark-list.ts'
import { compareMarks } from './risk.ts'

/** Users and marks that are written together. The marks are objects in memory meanwhile. */
const USERS_PER_STEP = 100
const MARKS_PER_STEP = 4_000

type Step = (task: () => Promise<void>) => Promise<void>
type MarkStore = Pick<CentralStore, 'userMarks' | 'markedUsers' | 'marks' | 'putMarks' | 'floor'>

export interface MarkWriter {
  /** Merges the batch into the stored marks. A mark stays even after the central peer erased its rows. */
  add(report: ReportId, batch: MarkBatch, step: Step): Promise<void>
  /** Puts the batch in the place of all marks that its users have from this report. */
  replace(report: ReportId, batch: MarkBatch, step: Step): Promise<void>
  remove(report: ReportId, step: Step): Promise<void>
  /** Starts a new generation of a user's list; undefined for an erased user. */
  renew(user: User): Promise<MarkList | undefined>
}

export function markWriter(store: MarkStore): MarkWriter {
  const perUser = turns<User>(1)

  /** Changes the user's marks of a report from `before` to `toMarks(before)`. An erased user has no list. */
  const change = (user: User, report: ReportId, toMarks: (before: readonly Mark[]) => Mark[]): Promise<void> =>
    perUser.run(user, async () => {
      const before = (await store.userMarks(user, report)).find((item) => item.report === report)?.marks ?? []
      const floor = dayToFirstEpoch(store.floor())
      const marks = toMarks(before).filter(({ epoch }) => epoch >= floor)
      if (isSame(before, marks)) return
      const list = await store.marks(user)
      if (list === undefined) return
      // Otherwise a user of many reports would cost the square of their number.
      const isAdded = isRaised(before, marks)
      const changed = isAdded ? raiseMarks(list, marks) : updateMarks(list, await merged(user, report, marks))
      await store.putMarks([{ user, changes: [{ report, marks }], list: changed }])
    })

  /** The marks of all reports of the user, with these instead of the stored ones of a report. */
  const merged = async (user: User, report: ReportId, marks: readonly Mark[]): Promise<Mark[]> => {
    const others = (await store.userMarks(user)).filter((item) => item.report !== report)
    return mergeMarks([...others.map((item) => item.marks), marks])
  }

  const inSteps = async (
    users: readonly User[],
    step: Step,
    task: (user: User) => Promise<void>,
    batch?: MarkBatch,
  ) => {
    for (let i = 0; i < users.length; ) {
      const first = i
      for (let marks = 0; i < users.length && i < first + USERS_PER_STEP && marks < MARKS_PER_STEP; i++)
        marks += batch?.count(users[i]!) ?? 0
      await step(async () => void (await Promise.all(users.slice(first, i).map(task))))
    }
  }

  return {
    add: (report, batch, step) =>
      inSteps(
        batch.users(),
        step,
        (user) => change(user, report, (before) => mergeMarks([before, batch.marks(user)]).sort(compareMarks)),
        batch,
      ),
    async replace(report, batch, step) {
      const marked = (await store.markedUsers(report)).filter(batch.takes)
      const users = [...new Set([...marked, ...batch.users()])].sort((a, b) => a - b)
      await inSteps(users, step, (user) => change(user, report, () => batch.marks(user)), batch)
    },
    async remove(report, step) {
      await inSteps(await store.markedUsers(report), step, (user) => change(user, report, () => []))
    },
    renew: (user) =>
      perUser.run(user, async () => {
        const known = await store.marks(user)
        if (known === undefined) return undefined
        const list = renewMarks(known, mergeMarks((await store.userMarks(user)).map(({ marks }) => marks)))
        await store.putMarks([{ user, changes: [], list }])
        return list
      }),
  }
}

function isSame(a: readonly Mark[], b: readonly Mark[]): boolean {
  return (
    a.length === b.length &&
    a.every((mark, i) => {
      const other = b[i]!
      return (
        mark.epoch === other.epoch &&
        mark.degree === other.degree &&
        mark.weight === other.weight &&
        mark.lag === other.lag &&
        equalBytes(mark.hash, other.hash)
      )
    })
  )
}
