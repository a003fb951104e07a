/**
 * What a user is told: one list over all reports, in an order that never changes behind a reader. PROTOCOL.md §7.2. Pure.
 *
 * New and bettered marks are appended, each batch by severity, with rising sequence numbers; a bettered mark leaves its
 * old place. So "after sequence n" is always the same question: no mark is lost or told twice. When a mark goes or gets
 * worse (a retraction), the generation rises, the list is ordered anew and the reader begins at 0.
 */
import type { Mark } from '@geotrace/core-wasm/wire'
import type { MarkList } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'

const GENERATION_MAX = 0xffffffff

export interface MarkPage {
  readonly generation: number
  readonly cursor: number
  readonly left: number
  readonly marks: readonly Mark[]
}

/** Severity first: degree, then weight; epoch and hash make the order total. */
export function compareSeverity(a: Mark, b: Mark): number {
  return a.degree - b.degree || b.weight - a.weight || a.epoch - b.epoch || Buffer.compare(a.hash, b.hash)
}

/** The graver of two marks on one hash: lower degree, then more weight, then the same block. */
export function bestMark(a: Mark | undefined, b: Mark): Mark {
  if (a === undefined) return b
  return (a.degree - b.degree || b.weight - a.weight || a.lag - b.lag) <= 0 ? a : b
}

/** The union of some lists, the graver mark on each hash. */
export function mergeMarks(lists: Iterable<readonly Mark[]>): Mark[] {
  const best = new Map<string, Mark>()
  for (const marks of lists) for (const mark of marks) best.set(markKey(mark), bestMark(best.get(markKey(mark)), mark))
  return [...best.values()]
}

/** The list after the user's marks became `marks` (one a hash). */
export function updateMarks(list: MarkList, marks: readonly Mark[]): MarkList {
  const wanted = new Map(marks.map((mark) => [markKey(mark), mark]))
  const lessened = list.entries.some((entry) => {
    const mark = wanted.get(markKey(entry))
    return mark === undefined || (!isEqual(mark, entry) && bestMark(entry, mark) === entry)
  })
  if (lessened) return renewMarks(list, marks)
  const kept = list.entries.filter((entry) => isEqual(wanted.get(markKey(entry))!, entry))
  for (const entry of kept) wanted.delete(markKey(entry))
  return append({ ...list, entries: kept }, [...wanted.values()])
}

/** The list in a new generation: every reader begins anew. */
export function renewMarks({ generation }: MarkList, marks: readonly Mark[]): MarkList {
  return append({ generation: generation === GENERATION_MAX ? 1 : generation + 1, last: 0, entries: [] }, marks)
}

/** What a reader gets who has read up to (generation, cursor), at most `max` marks. */
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

/** A reader who is ahead of the list read one that is gone (a restored backup): only a new generation sets it right. */
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
