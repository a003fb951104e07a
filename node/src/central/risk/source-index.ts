/**
 * Finds the active reports that a sync may change, from the sources of each report and their hashes. PROTOCOL.md §8.
 * The index is in memory. A sync writes to the store first and looks here afterwards. A computation writes its sources
 * and hashes here first and reads the store afterwards. At least one of the two therefore sees the other.
 * One table of numbers holds all reports, so that a sync costs the same with one active report and with thousands. A
 * report that finds no room in it waits for the next closing of epochs.
 */
import { LAG_CURRENT, RISK_HASH_BYTES, ROW_BYTES } from '@geotrace/core-wasm/wire'
import type { EpochRows, ReportId, User } from '../store/central-store.ts'
import type { RiskWatch } from './risk.ts'

/** About 100 MB. */
const ENTRIES_MAX = 4_000_000
/** Other entries in a row that a search passes. So many mean that somebody chose hashes to collide. */
const STEPS_MAX = 64
/** An entry is two words of a hash, or a user and USER, and the report. Report numbers begin at 1. */
const WORDS = 3
const USER = 0xffffffff
const FIRST_CAPACITY = 1 << 10

interface SourceIndex {
  /** Records the sources and hashes that the computation of a report is about to read. */
  watch(report: ReportId): RiskWatch
  remove(report: ReportId): void
  /** The reports to which these rows of this user may add marks, ascending, without those that have no room. */
  concerned(user: User, groups: readonly EpochRows[]): ReportId[]
  /** The reports without room to which rows since the last call may have added marks, ascending. */
  takeLate(): ReportId[]
  /** Entries in memory. */
  readonly size: number
}

export function sourceIndex(max = ENTRIES_MAX): SourceIndex {
  let table = new Uint32Array(FIRST_CAPACITY * WORDS)
  let size = 0
  const watched = new Set<ReportId>()
  const full = new Set<ReportId>()
  /** Whether a row came that may add marks to a report without room. */
  let isLate = false

  const grow = (capacity: number, isKept: (report: ReportId) => boolean): void => {
    const old = table
    table = new Uint32Array(capacity * WORDS)
    size = 0
    for (let at = 0; at < old.length; at += WORDS) {
      const report = old[at + 2]!
      if (report !== 0 && isKept(report)) insert(old[at]!, old[at + 1]!, report)
    }
  }
  const insert = (a: number, b: number, report: ReportId): void => {
    if (full.has(report)) return
    const at = findSlot(table, a, b, (known) => known === report)
    if (at === undefined || size >= max) full.add(report)
    else if (table[at + 2] === 0) {
      table.set([a, b, report], at)
      size++
      // At most half of the slots are taken, so that a search ends soon.
      if (2 * size * WORDS > table.length) grow((2 * table.length) / WORDS, () => true)
    }
  }
  return {
    watch(report) {
      watched.add(report)
      return toWatch((a, b) => {
        // A report that was removed while its computation ran stays removed.
        if (watched.has(report)) insert(a, b, report)
      })
    },
    remove(report) {
      if (!watched.delete(report)) return
      full.delete(report)
      grow(table.length / WORDS, (other) => other !== report)
    },
    concerned(user, groups) {
      if (groups.length === 0) return []
      const found = new Set<ReportId>()
      const look = (a: number, b: number): void => {
        findSlot(table, a, b, (report) => {
          found.add(report)
          return false
        })
      }
      look(user, USER)
      // A source reaches a user only in a block in which the user was there.
      forCurrent(groups, look)
      isLate ||= full.size > 0
      return [...found].filter((report) => !full.has(report)).sort((a, b) => a - b)
    },
    takeLate() {
      const late = isLate ? [...full].sort((a, b) => a - b) : []
      isLate = false
      return late
    },
    get size() {
      return size
    },
  }
}

function toWatch(insert: (a: number, b: number) => void): RiskWatch {
  return {
    sources: (users) => {
      for (const user of users) insert(user, USER)
    },
    hashes: (hashes) => {
      for (let at = 0; at < hashes.length; at += RISK_HASH_BYTES) insert(toWord(hashes, at), toWord(hashes, at + 4))
    },
  }
}

/**
 * The slot of the first entry (a, b) whose report `isIt` accepts, or the free slot after all entries (a, b). Undefined
 * after STEPS_MAX other entries in a row.
 */
function findSlot(table: Uint32Array, a: number, b: number, isIt: (report: ReportId) => boolean): number | undefined {
  const mask = table.length / WORDS - 1
  // Equal entries of many reports lie apart from each other, because the stride depends on the hash.
  const stride = Math.imul(b, 0x85ebca6b) | 1
  let slot = Math.imul(a, 0x9e3779b1)
  for (let steps = 0; steps < STEPS_MAX; slot = (slot + stride) | 0) {
    const at = (slot & mask) * WORDS
    const report = table[at + 2]!
    if (report === 0) return at
    if (table[at] !== a || table[at + 1] !== b) steps++
    else if (isIt(report)) return at
    else steps = 0
  }
  return undefined
}

/** Calls `look` with the words of each hash of a current row. */
function forCurrent(groups: readonly EpochRows[], look: (a: number, b: number) => void): void {
  for (const { rows } of groups) {
    for (let at = 0; at < rows.length; at += ROW_BYTES) {
      if (((rows[at + RISK_HASH_BYTES]! >> 3) & LAG_CURRENT) === 0) continue
      look(toWord(rows, at), toWord(rows, at + 4))
    }
  }
}

function toWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
