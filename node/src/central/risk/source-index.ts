/**
 * Finds the active reports that a sync may change, from the sources of each report and their hashes. PROTOCOL.md §8.
 * The index is in memory. A sync writes to the store first and looks here afterwards. A computation writes its sources
 * and hashes here first and reads the store afterwards. At least one of the two therefore sees the other.
 */
import { LAG_CURRENT } from '@geotrace/core-wasm/wire'
import type { EpochRows, ReportId, User } from '../store/central-store.ts'
import { hashToKey } from '../store/row-set.ts'
import type { RiskWatch } from './risk.ts'

/** About 400 MB. A report beyond the limit is computed again at every sync with rows, which is slow but correct. */
const INDEX_HASHES_MAX = 4_000_000

interface Entry {
  readonly sources: Set<User>
  readonly hashes: Set<string>
  /** Some hashes of this report had no room. */
  full: boolean
}

interface SourceIndex {
  /** Records the sources and hashes that the computation of a report is about to read. */
  watch(report: ReportId): RiskWatch
  remove(report: ReportId): void
  /** The reports to which these rows of this user may add marks. */
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
            // The report was removed while its computation ran.
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
      // A source reaches a user only in a block in which the user was there.
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
