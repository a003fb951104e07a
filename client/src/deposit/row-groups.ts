/**
 * Chooses the rows of one sync request. Pure. PROTOCOL.md §7.2. Rows of many fixes become one group an epoch, each hash once
 * with its lags merged. The rows that do not fit the largest size class follow in the next request.
 */
import {
  compareHashes,
  equalBytes,
  GROUP_HEAD_BYTES,
  ROW_BYTES,
  ROWS_PER_EPOCH_MAX,
  type Row,
  type RowGroup,
  SYNC_GROUPS_MAX,
  SYNC_HEAD_BYTES,
} from '@geotrace/core-wasm/wire'
import type { FixRow } from '../diary/hashed-fix.ts'
import { type DepositedRows, isDeposited } from './deposited.ts'

/** Groups ascending by epoch. When fixes of an epoch were hashed under two rosters, only the roster of the newest fix goes. */
export function rowsToGroups(
  rows: readonly FixRow[],
  deposited: ReadonlyMap<number, DepositedRows>,
  frameBytes: number,
): RowGroup[] {
  const groups: RowGroup[] = []
  let left = frameBytes - SYNC_HEAD_BYTES
  for (const [epoch, candidates] of [...byEpoch(rows)].sort(([a], [b]) => a - b)) {
    if (groups.length === SYNC_GROUPS_MAX) break
    const known = deposited.get(epoch)
    const roster = candidates.at(-1)!.roster
    const merged = mergeCandidates(
      candidates.filter((row) => equalBytes(row.roster, roster)),
      known,
    )
    const space = Math.floor((left - GROUP_HEAD_BYTES) / ROW_BYTES)
    const taken = withinEpoch(merged, known).slice(0, Math.max(0, space))
    if (taken.length === 0) continue
    taken.sort((a, b) => compareHashes(a.hash, b.hash))
    groups.push({ epoch, roster, rows: taken })
    left -= GROUP_HEAD_BYTES + taken.length * ROW_BYTES
  }
  return groups
}

function byEpoch(rows: readonly FixRow[]): Map<number, FixRow[]> {
  const epochs = new Map<number, FixRow[]>()
  for (const row of rows) {
    const list = epochs.get(row.epoch)
    if (list === undefined) epochs.set(row.epoch, [row])
    else list.push(row)
  }
  return epochs
}

/** Each hash once with all its lags, unless the central peer knows the hash with all of them. */
function mergeCandidates(candidates: readonly FixRow[], known: DepositedRows | undefined): (Row & { key: string })[] {
  const merged = new Map<string, Row & { key: string }>()
  for (const { key, hash, size, lags } of candidates) {
    const before = merged.get(key)?.lags ?? known?.get(key)?.lags ?? 0
    merged.set(key, { key, hash, size, lags: before | lags })
  }
  return [...merged.values()].filter((row) => !isDeposited(known, row.key, row.lags))
}

/** At most 480 hashes of an epoch over all syncs. A new lag of a known hash does not count. */
function withinEpoch(rows: (Row & { key: string })[], known: DepositedRows | undefined): Row[] {
  let free = ROWS_PER_EPOCH_MAX - (known?.size ?? 0)
  return rows
    .filter((row) => known?.has(row.key) === true || free-- > 0)
    .slice(0, ROWS_PER_EPOCH_MAX)
    .map(({ hash, size, lags }) => ({ hash, size, lags }))
}
