/**
 * Chooses the rows of one sync request. Pure. PROTOCOL.md §7.2. Rows of many fixes become one group an epoch, each hash once
 * with its lags merged. The rows that do not fit the largest size class follow in the next request.
 */
import {
  compareHashes,
  equalBytes,
  GROUP_HEAD_BYTES,
  ROSTER_NAME_BYTES,
  ROW_BYTES,
  ROWS_PER_EPOCH_MAX,
  type Row,
  type RowGroup,
  ShapeCounts,
  SYNC_GROUPS_MAX,
  SYNC_HEAD_BYTES,
} from '@geotrace/core-wasm/wire'
import type { FixRow } from '../diary/hashed-fix.ts'
import { type DepositedRows, isDeposited } from './deposited.ts'

/** A group that only takes rows back needs no roster. */
const NO_ROSTER = new Uint8Array(ROSTER_NAME_BYTES)

interface Choice {
  readonly rows: readonly FixRow[]
  /** Acknowledged rows by epoch. */
  readonly deposited: ReadonlyMap<number, DepositedRows>
  /** Those that no fix has any more. */
  readonly takeBacks: ReadonlyMap<number, DepositedRows>
  readonly frameBytes: number
}

/** Groups ascending by epoch. When fixes of an epoch were hashed under two rosters, only the roster of the newest fix goes. */
export function rowsToGroups({ rows, deposited, takeBacks, frameBytes }: Choice): RowGroup[] {
  const groups: RowGroup[] = []
  let left = frameBytes - SYNC_HEAD_BYTES
  for (const [epoch, candidates] of [...byEpoch(rows, takeBacks.keys())].sort(([a], [b]) => a - b)) {
    if (groups.length === SYNC_GROUPS_MAX) break
    const space = Math.min(ROWS_PER_EPOCH_MAX, Math.max(0, Math.floor((left - GROUP_HEAD_BYTES) / ROW_BYTES)))
    const back = new Map([...(takeBacks.get(epoch) ?? [])].slice(0, space))
    const known = new Map([...(deposited.get(epoch) ?? [])].filter(([key]) => !back.has(key)))
    const roster = candidates.at(-1)?.roster ?? NO_ROSTER
    const merged = mergeCandidates(
      candidates.filter((row) => equalBytes(row.roster, roster)),
      known,
    )
    const taken = [...back.values()].map(({ hash, size }) => ({ hash, size, lags: 0 }))
    taken.push(...withinShapes(merged, known).slice(0, space - back.size))
    if (taken.length === 0) continue
    taken.sort((a, b) => compareHashes(a.hash, b.hash))
    groups.push({ epoch, roster, rows: taken })
    left -= GROUP_HEAD_BYTES + taken.length * ROW_BYTES
  }
  return groups
}

function byEpoch(rows: readonly FixRow[], also: Iterable<number>): Map<number, FixRow[]> {
  const epochs = new Map<number, FixRow[]>([...also].map((epoch) => [epoch, []]))
  for (const row of rows) {
    const list = epochs.get(row.epoch)
    if (list === undefined) epochs.set(row.epoch, [row])
    else list.push(row)
  }
  return epochs
}

/** Each hash once with all its lags, unless the central peer knows the hash with all of them. */
function mergeCandidates(candidates: readonly FixRow[], known: DepositedRows): (Row & { key: string })[] {
  const merged = new Map<string, Row & { key: string }>()
  for (const { key, hash, size, lags } of candidates) {
    const before = merged.get(key)?.lags ?? known.get(key)?.lags ?? 0
    merged.set(key, { key, hash, size, lags: before | lags })
  }
  return [...merged.values()].filter((row) => !isDeposited(known, row.key, row.lags))
}

/** The rows that the central peer takes beside the known ones, in order. The others wait, and are lost with their epoch. */
function withinShapes(rows: (Row & { key: string })[], known: DepositedRows): Row[] {
  const counts = new ShapeCounts()
  for (const row of known.values()) counts.add(row)
  return rows
    .filter(({ key, size, lags }) => counts.add({ size, lags: lags & ~(known.get(key)?.lags ?? 0) }))
    .map(({ hash, size, lags }) => ({ hash, size, lags }))
}
