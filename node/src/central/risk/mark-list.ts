/**
 * The list of marks that a user reads page by page, over all reports. PROTOCOL.md §7.2. Pure.
 * New and raised marks are appended in order of severity, with rising sequence numbers; a raised mark leaves its old
 * place. A reader that asks for marks after sequence n therefore misses no mark and gets none twice. When a mark
 * disappears or is lowered (after a retraction), the generation rises, the list is sorted again and readers begin at 0.
 */
import type { Mark } from '@geotrace/core-wasm/wire'
import type { MarkList } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'

const GENERATION_MAX = 0xffffffff

interface MarkPage {
  readonly generation: number
  readonly cursor: number
  readonly left: number
  readonly marks: readonly Mark[]
}

/** Orders marks by severity: lower degree, then more weight. Epoch and hash make the order total. */
export function compareSeverity(a: Mark, b: Mark): number {
  return a.degree - b.degree || b.weight - a.weight || a.epoch - b.epoch || Buffer.compare(a.hash, b.hash)
}

/** The more severe of two marks on one hash: lower degree, then more weight, then lag 0 before lag 1. */
function bestMark(a: Mark | undefined, b: Mark): Mark {
  if (a === undefined) return b
  return (a.degree - b.degree || b.weight - a.weight || a.lag - b.lag) <= 0 ? a : b
}

/** The union of some lists, with the most severe mark of each hash. */
export function mergeMarks(lists: Iterable<readonly Mark[]>): Mark[] {
  const best = new Map<string, Mark>()
  for (const marks of lists) for (const mark of marks) best.set(markKey(mark), bestMark(best.get(markKey(mark)), mark))
  return [...best.values()]
}

/** The list after the user's marks have changed to `marks`, which has at most one mark of each hash. */
export function updateMarks(list: MarkList, marks: readonly Mark[]): MarkList {
  const wanted = new Map(marks.map((mark) => [markKey(mark), mark]))
  const isLowered = list.entries.some((entry) => {
    const mark = wanted.get(markKey(entry))
    return mark === undefined || (!isEqual(mark, entry) && bestMark(entry, mark) === entry)
  })
  if (isLowered) return renewMarks(list, marks)
  const kept = list.entries.filter((entry) => isEqual(wanted.get(markKey(entry))!, entry))
  for (const entry of kept) wanted.delete(markKey(entry))
  return append({ ...list, entries: kept }, [...wanted.values()])
}

/** The list after marks of one report were added or raised: no other report has a say in that. */
export function raiseMarks(list: MarkList, marks: readonly Mark[]): MarkList {
  return updateMarks(list, mergeMarks([list.entries, marks]))
}

/** Whether each mark of `before` is still there, or a graver one of the same hash. */
export function isRaised(before: readonly Mark[], after: readonly Mark[]): boolean {
  const marks = new Map(after.map((mark) => [markKey(mark), mark]))
  return before.every((mark) => {
    const now = marks.get(markKey(mark))
    return now !== undefined && bestMark(now, mark) === now
  })
}

/** The list in a new generation, so that every reader begins at 0. */
export function renewMarks({ generation }: MarkList, marks: readonly Mark[]): MarkList {
  return append({ generation: generation === GENERATION_MAX ? 1 : generation + 1, last: 0, entries: [] }, marks)
}

/** The next page of at most `max` marks for a reader at (generation, cursor). */
export function pageMarks(list: MarkList, read: { generation: number; cursor: number }, max: number): MarkPage {
  const after = read.generation === list.generation ? read.cursor : 0
  const unread = list.entries.filter(({ sequence }) => sequence > after)
  const page = unread.slice(0, max)
  return {
    generation: list.generation,
    cursor: page.at(-1)?.sequence ?? after,
    left: unread.length - page.length,
    marks: page,
  }
}

/**
 * Whether a reader is ahead of the list, because it read a list that a restored backup no longer has. Only a new
 * generation corrects that.
 */
export function isAhead(list: MarkList, read: { generation: number; cursor: number }): boolean {
  return read.generation === list.generation && read.cursor > list.last
}

function append(list: MarkList, marks: readonly Mark[]): MarkList {
  let last = list.last
  const added = [...marks].sort(compareSeverity).map((mark) => ({ ...mark, sequence: ++last }))
  return { generation: list.generation, last, entries: [...list.entries, ...added] }
}

function isEqual(a: Mark, b: Mark): boolean {
  return a.degree === b.degree && a.weight === b.weight && a.lag === b.lag
}

function markKey({ epoch, hash }: Mark): string {
  return `${epoch}/${hashToKey(hash)}`
}
