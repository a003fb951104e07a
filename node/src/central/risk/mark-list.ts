/**
 * What a user is told: one sheet over all reports, in an order that never changes behind a reader. PROTOCOL.md §7.2. Pure.
 *
 * New and bettered marks are appended, each batch by severity, with rising sequence numbers; a bettered mark leaves its
 * old place. So "after sequence n" is always the same question: no mark is lost or told twice. When a mark goes or gets
 * worse (a retraction), the generation rises, the sheet is ordered anew and the reader begins at 0.
 */
import type { Mark } from '@geotrace/core-wasm/wire'
import type { MarkSheet } from '../store/central-store.ts'
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

/** The sheet after the user's marks became `marks` (one a hash). */
export function updateSheet(sheet: MarkSheet, marks: readonly Mark[]): MarkSheet {
  const wanted = new Map(marks.map((mark) => [markKey(mark), mark]))
  const lessened = sheet.entries.some((entry) => {
    const mark = wanted.get(markKey(entry))
    return mark === undefined || (!isEqual(mark, entry) && bestMark(entry, mark) === entry)
  })
  if (lessened) return renewSheet(sheet, marks)
  const kept = sheet.entries.filter((entry) => isEqual(wanted.get(markKey(entry))!, entry))
  for (const entry of kept) wanted.delete(markKey(entry))
  return append({ ...sheet, entries: kept }, [...wanted.values()])
}

/** The sheet in a new generation: every reader begins anew. */
export function renewSheet({ generation }: MarkSheet, marks: readonly Mark[]): MarkSheet {
  return append({ generation: generation === GENERATION_MAX ? 1 : generation + 1, last: 0, entries: [] }, marks)
}

/** What a reader gets who has read up to (generation, cursor), at most `max` marks. */
export function pageSheet(sheet: MarkSheet, read: { generation: number; cursor: number }, max: number): MarkPage {
  const after = read.generation === sheet.generation ? read.cursor : 0
  const unread = sheet.entries.filter(({ sequence }) => sequence > after)
  const page = unread.slice(0, max)
  return {
    generation: sheet.generation,
    cursor: page.at(-1)?.sequence ?? after,
    left: unread.length - page.length,
    marks: page,
  }
}

/** A reader who is ahead of the sheet read one that is gone (a restored backup): only a new generation sets it right. */
export function isAhead(sheet: MarkSheet, read: { generation: number; cursor: number }): boolean {
  return read.generation === sheet.generation && read.cursor > sheet.last
}

function append(sheet: MarkSheet, marks: readonly Mark[]): MarkSheet {
  let last = sheet.last
  const added = [...marks].sort(compareSeverity).map((mark) => ({ ...mark, sequence: ++last }))
  return { generation: sheet.generation, last, entries: [...sheet.entries, ...added] }
}

function isEqual(a: Mark, b: Mark): boolean {
  return a.degree === b.degree && a.weight === b.weight && a.lag === b.lag
}

function markKey({ epoch, hash }: Mark): string {
  return `${epoch}/${hashToKey(hash)}`
}
