/**
 * Writes the marks of one report to the store: adds them, replaces them after a change of the report, or removes them.
 * PROTOCOL.md §8. Call these functions while no other computation runs.
 */
import { equalBytes, type Mark } from '@geotrace/core-wasm/wire'
import type { CentralStore, MarkChange, ReportId, ReportMarks, ReportRecord, User } from '../store/central-store.ts'
import { mergeMarks, updateMarks } from './mark-list.ts'
import { compareMarks, type RiskResult } from './risk.ts'

/** Changed users that one call of the store writes. */
const CHANGES_PER_WRITE = 200

/** Merges the result into the stored marks. A mark stays even after the central peer erased its rows. */
export async function addResult(store: CentralStore, id: ReportId, { users }: RiskResult): Promise<void> {
  await write(store, users.keys(), async (user) => {
    const known = await store.userMarks(user)
    const before = known.find(({ report }) => report === id)?.marks ?? []
    return change(store, user, id, mergeMarks([before, users.get(user)!.marks]).sort(compareMarks), known)
  })
}

/** Puts the result in the place of all marks of an earlier version, and notes in the report that this is done. */
export async function replaceReport(store: CentralStore, report: ReportRecord, { users }: RiskResult): Promise<void> {
  const concerned = new Set([...(await store.markedUsers(report.id)), ...users.keys()])
  await write(store, concerned, async (user) =>
    change(store, user, report.id, users.get(user)?.marks ?? [], await store.userMarks(user)),
  )
  const kept = (await store.reports()).find(({ id }) => id === report.id)
  // A later change of the report needs a computation of its own.
  if (kept !== undefined && isSameVersion(kept, report)) await store.putReport(withoutReplaces(report))
}

export async function removeMarks(store: CentralStore, id: ReportId): Promise<void> {
  await write(store, await store.markedUsers(id), async (user) =>
    change(store, user, id, [], await store.userMarks(user)),
  )
}

export function withoutReplaces({ replaces: _, ...report }: ReportRecord): ReportRecord {
  return report
}

function isSameVersion(a: ReportRecord, b: ReportRecord): boolean {
  return a.state === b.state && a.from === b.from && a.until === b.until && a.testDay === b.testDay
}

/** Undefined when nothing changes, and for an erased user. */
async function change(
  store: CentralStore,
  user: User,
  report: ReportId,
  marks: readonly Mark[],
  known: readonly ReportMarks[],
): Promise<MarkChange | undefined> {
  if (isSame(known.find((item) => item.report === report)?.marks ?? [], marks)) return undefined
  const list = await store.marks(user)
  if (list === undefined) return undefined
  const others = known.filter((item) => item.report !== report).map((item) => item.marks)
  return { user, changes: [{ report, marks }], list: updateMarks(list, mergeMarks([...others, marks])) }
}

async function write(
  store: CentralStore,
  users: Iterable<User>,
  toChange: (user: User) => Promise<MarkChange | undefined>,
): Promise<void> {
  let changes: MarkChange[] = []
  for (const user of users) {
    const item = await toChange(user)
    if (item !== undefined) changes.push(item)
    if (changes.length < CHANGES_PER_WRITE) continue
    await store.putMarks(changes)
    changes = []
  }
  if (changes.length > 0) await store.putMarks(changes)
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
