/**
 * Which syncs concern which active reports: the sources of each and the hashes they hold. PROTOCOL.md §8. In memory.
 *
 * A sync is kept first and looked up here afterwards; a computation puts its sources and hashes here first and reads the
 * store afterwards. So of a row and a report that belong together, at least one side sees the other.
 */
import { LAG_CURRENT } from '@geotrace/core-wasm/wire'
import type { EpochRows, ReportId, User } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'
import type { RiskWatch } from './risk.ts'

/** About 400 MB. A report that no longer fits is computed anew at every sync with rows: slow, never wrong. */
export const INDEX_HASHES_MAX = 4_000_000

interface Entry {
  readonly sources: Set<User>
  readonly hashes: Set<string>
  full: boolean
}

export interface SourceIndex {
  /** Where the computation of a report writes down what it is about to read. */
  watch(report: ReportId): RiskWatch
  remove(report: ReportId): void
  /** Reports to which these rows of this user may add something. */
  concerned(user: User, groups: readonly EpochRows[]): ReportId[]
  /** Hashes in memory. */
  readonly size: number
}

export function sourceIndex(max = INDEX_HASHES_MAX): SourceIndex {
  const entries = new Map<ReportId, Entry>()
  let size = 0
  return {
    watch(report) {
      const entry = entries.get(report) ?? { sources: new Set<User>(), hashes: new Set<string>(), full: false }
      entries.set(report, entry)
      return {
        sources: (users) => {
          for (const user of users) entry.sources.add(user)
        },
        hashes: (keys) => {
          for (const key of keys) {
            // Removed while the computation ran: nobody will ask for it.
            if (entries.get(report) !== entry) return
            if (entry.full || entry.hashes.has(key)) continue
            if (size >= max) entry.full = true
            else {
              entry.hashes.add(key)
              size++
            }
          }
        },
      }
    },
    remove(report) {
      size -= entries.get(report)?.hashes.size ?? 0
      entries.delete(report)
    },
    concerned(user, groups) {
      // Only where somebody was themselves can a source reach them.
      const keys = groups.flatMap(({ rows }) => rows.filter(({ lags }) => (lags & LAG_CURRENT) !== 0)).map(toKey)
      const reports: ReportId[] = []
      for (const [report, { sources, hashes, full }] of entries) {
        const isConcerned = (full && keys.length > 0) || keys.some((key) => hashes.has(key))
        if ((sources.has(user) && groups.length > 0) || isConcerned) reports.push(report)
      }
      return reports
    },
    get size() {
      return size
    },
  }
}

function toKey({ hash }: { hash: Uint8Array }): string {
  return hashToKey(hash)
}
